import { expect, it, onTestFinished, vi } from "vitest";
import { openHome } from "#peer/home/open-home";
import { problem } from "../coordinator/fake-coordinator";
import { temporaryFolder } from "../home/temporary-folder";
import { openStream } from "./fake-node";
import { handlerFor } from "./handler-under-test";
import {
  callsOf,
  chatBody,
  clientNetwork,
  MODEL,
  startClient,
  startWarm,
} from "./client-under-test";
import { withoutLastWords } from "#support/last-words";

it("asks the coordinator nothing for requests on a warm session, and numbers each once", async () => {
  const { network, node, client } = await startWarm();
  const calls = callsOf(network).length;
  for (let times = 0; times < 20; times++) await (await client.post()).text();
  await Promise.all(Array.from({ length: 20 }, async () => (await client.post()).text()));
  expect(callsOf(network)).toHaveLength(calls);
  const numbers = node.seen.all.map(({ seq }) => seq).toSorted((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: 41 }, (_, place) => place));
  expect(new Set(node.seen.all.map(({ leaseId }) => leaseId)).size).toBe(1);
});

it("takes one ticket for requests that come at the same moment", async () => {
  const network = await clientNetwork();
  await network.addNode();
  const client = await startClient(network);
  const answers = await Promise.all(Array.from({ length: 30 }, () => client.post()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(network.authorized).toHaveLength(1);
});

it("shows the node a larger budget while a stream runs on, without a request for it", async () => {
  const network = await clientNetwork();
  // Half of it is gone after a tenth of a second.
  network.budget = 200_000;
  const stream = openStream();
  const node = await network.addNode(() => stream.response);
  const client = await startClient(network);
  stream.write("data: 1\n\n");
  const answer = await client.post();
  const ticket = await node.tickets.until(() => true);
  expect(ticket.jti).toBe(node.seen.all[0]?.leaseId);
  expect(ticket.budget).toBeGreaterThan(network.budget);
  stream.end();
  expect(withoutLastWords(await answer.text())).toBe("data: 1\n\n");
});

it("goes on with the tickets it has while the coordinator is away, then says so", async () => {
  const network = await clientNetwork();
  network.models = [MODEL, "another"];
  await network.addNode();
  const client = await startClient(network);
  await (await client.post()).text();
  await network.coordinator[Symbol.asyncDispose]();

  expect((await client.post()).status).toBe(200);
  const refused = await client.post({ body: chatBody({ model: "another" }) });
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("5");
  expect(await refused.json()).toMatchObject({ error: { code: "coordinator_unreachable" } });
  expect((await client.post()).status).toBe(200);
});

it("says that the coordinator cannot be reached where it never was", async () => {
  const network = await clientNetwork();
  await network.coordinator[Symbol.asyncDispose]();
  const client = await startClient(network);
  for (const answer of [await client.post(), await client.get("/v1/models")]) {
    expect(answer.status).toBe(503);
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect(error.code).toBe("coordinator_unreachable");
    expect(error.message).toContain(network.coordinator.baseUrl);
    expect(error.message).toContain("`troop status`");
  }
  expect((await client.get("/health")).status).toBe(200);
});

it("tells the app where there are no credits what the balance is, what is held and what earns more", async () => {
  const network = await clientNetwork();
  await network.addNode();
  network.coordinator.answers["POST /authorize"] = () =>
    problem("credits_exhausted", { balance_microcredits: 1_500, held_microcredits: 60_000_000 });
  const client = await startClient(network);
  const answer = await client.post();
  expect(answer.status).toBe(402);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("insufficient_credits");
  expect(error.message).toBe(
    "There are no credits left to spend. The balance is 0.0015 credits. Open leases hold 60 more; what they do " +
      "not spend comes back when they end. Running `troop worker` on a machine with an inference engine earns more.",
  );
});

it("refuses a model that nobody has with a list of what is there, without asking for a ticket", async () => {
  const { network, client } = await startWarm();
  const answer = await client.post({ body: chatBody({ model: "no/such:model" }) });
  expect(answer.status).toBe(404);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error.code).toBe("model_not_found");
  expect(error.message).toContain(MODEL);
  expect(network.authorized).toHaveLength(1);
});

it("looks at the list once, at most, before it refuses a model", async () => {
  const { network, client } = await startWarm();
  const asked = () =>
    network.coordinator.seen.filter(({ target }) => target === "/v1/models").length;
  const before = asked();
  const unknown = () => client.post({ body: chatBody({ model: "no/such:model" }) });
  expect((await unknown()).status).toBe(404);
  expect(asked()).toBeLessThanOrEqual(before + 1);
  const answers = await Promise.all(Array.from({ length: 20 }, unknown));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
  // Those that come together share one look.
  expect(asked()).toBeLessThanOrEqual(before + 5);
});

it("introduces itself again to a coordinator that has lost its records", async () => {
  const network = await clientNetwork();
  await network.addNode();
  const home = await openHome(await temporaryFolder());
  const earlier = await startClient(network, { home });
  await (await earlier.get("/v1/models")).text();
  await earlier.stop();
  const registered = () =>
    network.coordinator.seen.filter(({ target }) => target === "/register").length;
  const before = registered();
  const authorize = network.coordinator.answers["POST /authorize"];
  network.coordinator.answers["POST /authorize"] = (call) =>
    registered() === before || authorize === undefined
      ? problem("not_registered")
      : authorize(call);
  const client = await startClient(network, { home });
  expect((await client.post()).status).toBe(200);
  expect(registered()).toBe(before + 1);
});

it("says after half a minute that the coordinator gives no ticket, however long it takes for that", async () => {
  const network = await clientNetwork();
  await network.addNode();
  const asked = Promise.withResolvers<void>();
  network.coordinator.answers["POST /authorize"] = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const { post } = await handlerFor(network);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const posted = post();
  await asked.promise;
  vi.advanceTimersByTime(30_000);
  const answer = await posted;
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ error: { code: "coordinator_unreachable" } });
});
