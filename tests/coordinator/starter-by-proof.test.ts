import { expect, it } from "vitest";
import { DeviceCode } from "#protocol/device";
import { Problem } from "#protocol/problem";
import { Balance } from "#protocol/statement";
import { useCoordinator } from "#support/coordinator";
import type { TestPeer } from "#support/test-peer";
import { newNode, passAll } from "./hardware-node";
import { peopleOf } from "./people";

const coordinator = useCoordinator({ STARTER_CREDITS: "100", STARTER_NEEDS_HARDWARE: "true" });
const { person } = peopleOf(coordinator);

async function total(peer: TestPeer, user: string): Promise<string> {
  return Balance.parse(await (await peer.call(`/users/${user}/balance`)).json()).total;
}

it("gives starter credits with the first proof of hardware, once for a user, whatever machine brings it", async () => {
  const [node, second] = await Promise.all([
    newNode(coordinator().url),
    newNode(coordinator().url),
  ]);
  const models = [{ id: "starter/model", engine: "ollama" as const, state: "loaded" as const }];
  expect((await node.beat(node.registration, { models })).status).toBe(200);
  expect(await total(node, node.registration.user_id)).toBe("0");
  const refused = await node.call("/authorize", { body: { model: "starter/model" } });
  const { code, detail } = Problem.parse(await refused.json());
  expect([code, detail?.includes("troop benchmark")]).toEqual(["credits_exhausted", true]);

  // Both become one person's, who gets nothing for that.
  const somebody = await person();
  for (const peer of [node, second]) {
    const begun = DeviceCode.parse(await (await peer.call("/auth/device", { body: {} })).json());
    const body = { user_code: begun.user_code, approve: true };
    await somebody.ask("/auth/device/decide", { body });
    const { device_code } = begun;
    expect((await peer.call("/auth/device/token", { body: { device_code } })).status).toBe(200);
  }
  expect(await total(node, somebody.user)).toBe("0");
  expect((await passAll(node)).status).toBe("passed");
  expect(await total(node, somebody.user)).toBe("100");
  expect((await passAll(second)).status).toBe("passed");
  expect(await total(node, somebody.user)).toBe("100");
  expect((await node.call("/authorize", { body: { model: "starter/model" } })).status).toBe(200);
});
