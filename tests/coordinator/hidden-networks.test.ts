import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { networkIdFrom, userIdFrom } from "#protocol/names";
import type { Network } from "#protocol/network";
import { useCoordinator } from "#support/coordinator";
import { type Call, newPeer } from "#support/test-peer";
import { type Friend, newModel, privateNetworksOf } from "./private-networks";

const coordinator = useCoordinator({ ADMIN_PASSWORD: "the operators' own password" });
const { accept, create, friend, invite, join, lend } = privateNetworksOf(coordinator);

let owner: Friend;
let node: Friend;
let network: Network;
let model: string;
let inviteId: string;
let code: string;

beforeAll(async () => {
  owner = await friend();
  network = await create(owner);
  node = await join(owner, network, "member");
  model = newModel();
  expect(await lend(node, network.id, model)).toEqual([]);
  const made = await invite(owner, network);
  inviteId = made.id;
  code = made.invite.split("@")[0] ?? "";
});

const random = (): Uint8Array => crypto.getRandomValues(new Uint8Array(16));

type Subject = { readonly network: string; readonly user: string; readonly invite: string };
const there = (): Subject => ({ network: network.id, user: node.user, invite: inviteId });
const nowhere = (): Subject => ({
  network: networkIdFrom(random()),
  user: userIdFrom(random()),
  invite: crypto.randomUUID(),
});

type Asked = readonly [what: string, ask: (about: Subject) => [target: string, call: Call]];

/** All that can be asked about one network, one member or one invite. */
const QUESTIONS: Asked[] = [
  ["its nodes", ({ network: id }) => [`/nodes?network=${id}`, {}]],
  ["its nodes for a model", ({ network: id }) => [`/peers?network=${id}&model=${model}`, {}]],
  ["a page of its nodes", ({ network: id }) => [`/nodes?network=${id}&cursor=7`, {}]],
  ["its models", ({ network: id }) => [`/v1/models?network=${id}`, {}]],
  ["a ticket", ({ network: id }) => ["/authorize", { body: { model, network: id } }]],
  [
    "a ticket for a model that it lacks",
    ({ network: id }) => ["/authorize", { body: { model: "none", network: id } }],
  ],
  [
    "a ticket beyond any balance",
    ({ network: id }) => ["/authorize", { body: { model, network: id, budget: 2 ** 52 } }],
  ],
  ["its members", ({ network: id }) => [`/networks/${id}/members`, {}]],
  ["its invites", ({ network: id }) => [`/networks/${id}/invites`, {}]],
  [
    "an invite",
    ({ network: id }) => [
      `/networks/${id}/invites`,
      { body: { role: "member", uses: 1, expires_in_seconds: 60 } },
    ],
  ],
  [
    "an invite's end",
    (about) => [`/networks/${about.network}/invites/${about.invite}`, { method: "DELETE" }],
  ],
  [
    "a member's end",
    (about) => [`/networks/${about.network}/members/${about.user}`, { method: "DELETE" }],
  ],
  [
    "a member's role",
    (about) => [
      `/networks/${about.network}/members/${about.user}`,
      { method: "PATCH", body: { role: "owner" } },
    ],
  ],
  [
    "another policy",
    ({ network: id }) => [`/networks/${id}`, { method: "PATCH", body: { credits: false } }],
  ],
  ["what it does not have", ({ network: id }) => [`/networks/${id}/nodes`, {}]],
];

/**
 * Status, headers and bytes of an answer, but for what is of the moment: its time, the window that it counted in, and
 * whether its bytes reached the server's front in one piece.
 */
async function whole(answer: Response): Promise<string> {
  const headers = [...answer.headers].filter(
    ([name]) => !/^(date|ratelimit.*|content-length|transfer-encoding)$/.test(name),
  );
  return JSON.stringify([answer.status, headers, await answer.text()]);
}

describe("a stranger", () => {
  it.each(QUESTIONS)("learns nothing by asking for %s", async (_what, ask) => {
    const stranger = await friend();
    const answers = [];
    for (const about of [there(), nowhere()]) {
      const [target, call] = ask(about);
      const headers = { "x-request-id": "the-same-for-both" };
      answers.push(await whole(await stranger.call(target, { ...call, headers })));
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).toContain("[404,");
  });

  it.each(QUESTIONS)(
    "who is not even registered learns nothing by asking for %s",
    async (_what, ask) => {
      const peer = await newPeer(coordinator().url);
      const answers = [];
      for (const about of [there(), nowhere()]) {
        const [target, call] = ask(about);
        const headers = { "x-request-id": "the-same-for-both" };
        answers.push(await whole(await peer.call(target, { ...call, headers })));
      }
      expect(answers[0]).toBe(answers[1]);
    },
  );

  it("who lends in a network that is not its own is told the same as of one that is not there", async () => {
    const stranger = await friend();
    for (const id of [network.id, nowhere().network]) {
      expect(await lend(stranger, id, model)).toEqual([id]);
    }
    const page = await owner.call(`/nodes?network=${network.id}`);
    expect(await page.text()).not.toContain(stranger.node);
  });

  it("may call a network of its own the same", async () => {
    const stranger = await friend();
    const made = await stranger.call("/networks", { body: { name: network.name } });
    expect(made.status).toBe(201);
    expect(((await made.json()) as Network).id).not.toBe(network.id);
  });

  it("finds no trace of it in any answer of any route", async () => {
    const stranger = await friend();
    const Api = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });
    const api = await fetch(`${coordinator().url}/openapi.json`);
    const traces = [network.id, network.name, model, node.node, node.user, owner.user, code];
    let asked = 0;
    for (const [path, methods] of Object.entries(Api.parse(await api.json()).paths)) {
      for (const method of Object.keys(methods)) {
        const verb = method.toUpperCase();
        const bare = path.replaceAll(/\{[^}]+\}/g, "x");
        const own = path.replaceAll(/\{[^}]+\}/g, stranger.user);
        for (const target of [bare, own, `${bare}?network=public`]) {
          const hasBody = !["GET", "DELETE"].includes(verb);
          const call = {
            method: verb,
            ...(hasBody && { body: { model: "none", network: "public" } }),
          };
          const answer = await stranger.call(target, call);
          const text = JSON.stringify([[...answer.headers], await answer.text()]);
          for (const trace of traces)
            expect([target, text.includes(trace)]).toEqual([target, false]);
          asked += 1;
        }
      }
    }
    expect(asked).toBeGreaterThan(60);
  });

  it("finds it as soon as it was let in", async () => {
    const stranger = await friend();
    const answer = await accept(stranger, { invite: code } as Parameters<typeof accept>[1]);
    expect(answer.status).toBe(200);
    const page = await stranger.call(`/nodes?network=${network.id}`);
    expect(await page.text()).toContain(node.node);
  });
});
