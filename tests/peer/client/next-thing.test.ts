import { expect, it } from "vitest";
import { OpenAiError } from "#protocol/openai-error";
import { problem } from "../coordinator/fake-coordinator";
import { CHAT, chatBody, type ClientUnderTest, startClient, startWith } from "./client-under-test";
import { type Behaviour, refusal } from "./fake-node";

const GOOD: Behaviour = () => Response.json({});
const BUSY: Behaviour = () => refusal(503, "node_busy", { "retry-after": "3" });

async function messageOf(answer: Response): Promise<string> {
  return OpenAiError.parse(await answer.json()).error.message;
}

type Case = readonly [
  what: string,
  next: RegExp,
  ask: (client: ClientUnderTest) => Promise<Response>,
];
const REFUSED: readonly Case[] = [
  ["no model", /name a model/, (client) => client.post({ body: "{}" })],
  ["a model that nobody has", /There is: /, (client) => client.post({ body: '{"model":"other"}' })],
  [
    "a path too long",
    /in the body/,
    (client) => client.post({ target: `${CHAT}?${"x".repeat(5_000)}` }),
  ],
  ["another path", /POST \/v1\/…/, (client) => client.get("/elsewhere")],
  ["another method", /other methods: /, (client) => client.get(CHAT, { method: "DELETE" })],
  [
    "a page elsewhere",
    /--origin/,
    (client) => client.get("/v1/models", { headers: { origin: "https://a.b" } }),
  ],
  ["another host name", /localhost/, (client) => client.get("/", { headers: { host: "a.b" } })],
];

it.each(REFUSED)("says what to do about %s", async (_, next, ask) => {
  const { client } = await startWith(GOOD);
  expect(await messageOf(await ask(client))).toMatch(next);
});

it("says what to do where an API key is asked for", async () => {
  const { network } = await startWith(GOOD);
  const client = await startClient(network, { apiKey: "key" });
  expect(await messageOf(await client.post())).toMatch(/bearer/);
});

it.each([
  ["one busy node", [BUSY], /Try again/],
  ["all nodes busy", [BUSY, BUSY], /Try again in 3 s/],
  ["a spent lease", [() => refusal(402, "budget_exhausted")], /troop balance/],
  ["a ticket that nobody takes", [() => refusal(401, "ticket_invalid")], /clock/],
  ["an engine that breaks off", [() => refusal(502, "engine_error")], /again/],
  ["a node that fails", [() => refusal(500, "internal")], /again/],
] as const)("says what to do about %s", async (_, nodes, next) => {
  const { client } = await startWith(...nodes);
  expect(await messageOf(await client.post())).toMatch(next);
});

it("says what to do where no node can be reached", async () => {
  const { network, client } = await startWith(GOOD);
  await network.nodes[0]?.stop();
  expect(await messageOf(await client.post())).toMatch(/troop nodes/);
});

it.each([
  ["is away", () => new Response("no", { status: 502 }), /troop status/],
  ["has no credits to give", () => problem("credits_exhausted"), /troop worker/],
] as const)("says what to do where the coordinator %s", async (_, said, next) => {
  const { network, client } = await startWith(GOOD);
  network.coordinator.answers["POST /authorize"] = said;
  expect(await messageOf(await client.post({ body: chatBody() }))).toMatch(next);
});
