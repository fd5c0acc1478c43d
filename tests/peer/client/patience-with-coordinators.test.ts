import { expect, it } from "vitest";
import { systemClock } from "#peer/clock";
import { problem } from "../coordinator/fake-coordinator";
import { clientNetwork } from "./client-under-test";
import { handlerFor } from "./handler-under-test";
import { GOOD, startWith } from "./patience-under-test";

it("waits for a coordinator whose store is away", async () => {
  const { network, client } = await startWith(30_000, GOOD);
  const authorize = network.coordinator.answers["POST /authorize"];
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = (call) =>
    asked++ < 2
      ? problem("store_unavailable", {}, { "retry-after": "1" })
      : (authorize?.(call) ?? problem("internal"));
  expect((await client.post()).status).toBe(200);
  expect(asked).toBe(3);
});

it("tells the app where the coordinator's store stays away", async () => {
  const network = await clientNetwork();
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = () => {
    asked += 1;
    return problem("store_unavailable", {}, { "retry-after": "1" });
  };
  // Each look takes 0.4 of the 1.6 seconds, on however slow a machine: there is time for one pause of a second.
  const steadyMs = () => asked * 400;
  const patience = { patienceMs: 1_600, random: () => 0 };
  const handler = await handlerFor(network, {}, patience, { ...systemClock, steadyMs });
  const answer = await handler.post();
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "coordinator_refused" } });
  expect(asked).toBe(2);
});

/** What a proxy says in front of a coordinator that is gone. */
const NO_COORDINATOR = () => new Response("bad gateway", { status: 502 });

it("waits for a coordinator that is gone just when the nodes of a ticket have failed", async () => {
  const { network, client } = await startWith(30_000, GOOD);
  await (await client.post()).text();
  await network.nodes[0]?.stop();
  await network.addNode(() => Response.json({ from: "the other one" }));
  const authorize = network.coordinator.answers["POST /authorize"];
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = (call) =>
    asked++ < 1 ? NO_COORDINATOR() : (authorize?.(call) ?? problem("internal"));
  expect(await (await client.post()).json()).toEqual({ from: "the other one" });
  expect(asked).toBe(2);
});

it("tells the app at once where the coordinator is gone and there is no ticket", async () => {
  const { network, client } = await startWith(30_000, GOOD);
  let asked = 0;
  network.coordinator.answers["POST /authorize"] = () => {
    asked += 1;
    return NO_COORDINATOR();
  };
  const answer = await client.post();
  expect(await answer.json()).toMatchObject({ error: { code: "coordinator_unreachable" } });
  expect(asked).toBe(1);
});
