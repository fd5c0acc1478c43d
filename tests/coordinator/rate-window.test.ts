import { expect, it } from "vitest";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";

const coordinator = useCoordinator({ REGISTRATIONS_PER_HOUR: "7" });

it("admits exactly the limit of requests that race for it", async () => {
  const peers = await Promise.all(Array.from({ length: 40 }, () => newPeer(coordinator().url)));
  const answers = await Promise.all(peers.map((peer) => peer.call("/register", { body: {} })));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(7);
  expect(answers.filter((answer) => answer.status === 429)).toHaveLength(33);
});
