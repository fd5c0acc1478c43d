import { expect, it } from "vitest";
import type { Membership } from "#protocol/network";
import { OpenAiError } from "#protocol/openai-error";
import { registrationOf } from "../coordinator/fake-coordinator";
import { type FakeNetwork, fakeNetwork, ISSUER } from "./fake-network";
import { engine, startWorker } from "./worker-under-test";

const TEAM: Membership = { network: "net-team", name: "team", role: "member" };

/** A coordinator at which this peer belongs to networks, and may serve in some of them. */
async function networkWith(memberships: Membership[], serving: string[]): Promise<FakeNetwork> {
  const network = await fakeNetwork();
  network.coordinator.answers["POST /register"] = ({ peerId }) =>
    Response.json({
      ...registrationOf(peerId, Date.now()),
      issuer: ISSUER,
      jwks: network.jwks,
      memberships,
      networks: ["public", ...serving],
    });
  return network;
}

it("lends where it was told to, and takes tickets of no other network", async () => {
  const network = await networkWith([TEAM], ["net-team"]);
  const worker = await startWorker({ engines: [engine().url], networks: ["team"], network });
  expect(network.heartbeats.all[0]?.networks).toEqual(["net-team"]);

  const served = await worker.post({ ticket: await worker.ticket({ net: "net-team" }) });
  expect(served.status).toBe(200);
  await served.text();
  for (const net of ["public", "net-other"]) {
    const refused = await worker.post({ ticket: await worker.ticket({ net }) });
    expect(refused.status).toBe(401);
    expect(OpenAiError.parse(await refused.json()).error.code).toBe("ticket_invalid");
  }
});

it("lends in the public network where it was told nothing", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  expect(worker.network.heartbeats.all[0]?.networks).toEqual(["public"]);
  const refused = await worker.post({ ticket: await worker.ticket({ net: "net-team" }) });
  expect(refused.status).toBe(401);
});

it("serves a free lease for as long as it lasts", async () => {
  const network = await networkWith([TEAM], ["net-team"]);
  const worker = await startWorker({ engines: [engine().url], networks: ["team"], network });
  const claims = { net: "net-team", rates: { [worker.nodeId]: 0 }, budget: 0 };
  const served = await worker.post({ ticket: await worker.ticket(claims) });
  expect(served.status).toBe(200);
  expect(await served.text()).toMatch(/data: \[DONE\]\n\n$/);
});

it("registers anew, once, for a network that its registration does not know", async () => {
  const network = await networkWith([], []);
  const worker = await startWorker({ engines: [engine().url], network });
  await worker.stop();
  const later = await networkWith([TEAM], ["net-team"]);
  network.coordinator.answers["POST /register"] =
    later.coordinator.answers["POST /register"] ?? expect.unreachable();
  const again = await startWorker({
    engines: [engine().url],
    networks: ["team"],
    network,
    home: worker.home,
  });
  expect(again.network.heartbeats.all.at(-1)?.networks).toEqual(["net-team"]);
});

it.each([
  ["a network that its user does not belong to", [], [], "You belong to no such network."],
  [
    "one that its user may only use",
    [{ ...TEAM, role: "use-only" as const }],
    [],
    "You may not lend in the network team, only use it.",
  ],
  [
    "one of two of that name",
    [TEAM, { ...TEAM, network: "net-2" }],
    ["net-team", "net-2"],
    "You belong to several networks called team.",
  ],
])("does not start for %s", async (_what, memberships, serving, message) => {
  const network = await networkWith(memberships, serving);
  await expect(
    startWorker({ engines: [engine().url], networks: ["team"], network }),
  ).rejects.toThrow(message);
  expect(network.heartbeats.all).toEqual([]);
});

it("takes no tickets of a network that it was taken out of, and says so once", async () => {
  const network = await networkWith([TEAM], ["net-team"]);
  let refused: string[] = [];
  const { answers } = network.coordinator;
  const seen = answers["POST /heartbeat"] ?? expect.unreachable();
  answers["POST /heartbeat"] = async (call) => {
    await seen(call);
    return Response.json({ status: "seen", next_in_seconds: 1, refused_networks: refused });
  };
  const worker = await startWorker({
    engines: [engine().url],
    networks: ["public", "team"],
    network,
  });
  const beat = async (): Promise<void> => {
    const count = network.heartbeats.all.length;
    await network.heartbeats.until(() => network.heartbeats.all.length > count);
  };
  const statusIn = async (net: string): Promise<number> => {
    const answer = await worker.post({ ticket: await worker.ticket({ net }) });
    await answer.text();
    return answer.status;
  };
  expect(await statusIn("net-team")).toBe(200);
  refused = ["net-team"];
  await beat();
  await worker.said.until((line) => line.includes("team any more"));
  await beat();
  expect(await statusIn("net-team")).toBe(401);
  expect(await statusIn("public")).toBe(200);
  refused = [];
  await beat();
  await worker.said.until((line) => line === "This node serves in team again.");
  expect(await statusIn("net-team")).toBe(200);
  expect(worker.said.all.filter((line) => line.includes("any more"))).toHaveLength(1);
});
