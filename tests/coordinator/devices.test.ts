import { describe, expect, it } from "vitest";
import { DeviceCode, DeviceLink, OwnPeers, PendingDevice } from "#protocol/device";
import { Problem } from "#protocol/problem";
import { Balance, Transactions } from "#protocol/statement";
import { useCoordinator } from "#support/coordinator";
import { newPeer, type TestPeer } from "#support/test-peer";
import { membersOf } from "./members";
import { peopleOf } from "./people";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });
const { ask, person } = peopleOf(coordinator);
const { authorize, join, receiptOf, serve, submit } = membersOf(coordinator);
type Person = Awaited<ReturnType<typeof person>>;

const code = async (answer: Response) => Problem.parse(await answer.json()).code;

async function begin(peer: TestPeer, name?: string): Promise<DeviceCode> {
  const answer = await peer.call("/auth/device", { body: { name } });
  return DeviceCode.strict().parse(await answer.json());
}

const poll = (peer: TestPeer, { device_code }: DeviceCode) =>
  peer.call("/auth/device/token", { body: { device_code } });

const decide = (by: Person, { user_code }: DeviceCode, approve: boolean) =>
  by.ask("/auth/device/decide", { body: { user_code, approve } });

async function link(peer: TestPeer, to: Person): Promise<void> {
  const begun = await begin(peer);
  expect((await decide(to, begun, true)).status).toBe(204);
  const linked = await poll(peer, begun);
  expect(DeviceLink.strict().parse(await linked.json())).toEqual({
    user_id: to.user,
    email: to.email,
  });
}

async function balance(peer: TestPeer, user: string): Promise<Balance> {
  return Balance.parse(await (await peer.call(`/users/${user}/balance`)).json());
}

const peersOf = async (answer: Response) => OwnPeers.strict().parse(await answer.json()).peers;

describe("a device code", () => {
  it("links a peer to the person who approves it, who sees first what asks", async () => {
    const [peer, somebody] = [await join(), await person()];
    const begun = await begin(peer, "tower");
    expect(begun.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(begun.verification_uri_complete).toBe(`${coordinator().url}/account#${begun.user_code}`);

    expect(await code(await poll(peer, begun))).toBe("authorization_pending");
    const found = await somebody.ask("/auth/device/find", {
      body: { user_code: begun.user_code.toLowerCase().replace("-", " ") },
    });
    expect(PendingDevice.strict().parse(await found.json())).toMatchObject({
      peer_id: peer.identity.peerId,
      name: "tower",
    });
    await decide(somebody, begun, true);
    const linked = await poll(peer, begun);
    expect(DeviceLink.parse(await linked.json()).user_id).toBe(somebody.user);
    // What was lost on the way can be asked for again.
    expect((await poll(peer, begun)).status).toBe(200);
    expect((await peer.register()).user_id).toBe(somebody.user);
  });

  it("tells the peer of a no, and ends with it", async () => {
    const [peer, somebody] = [await join(), await person()];
    const begun = await begin(peer);
    await decide(somebody, begun, false);
    expect(await code(await poll(peer, begun))).toBe("access_denied");
    expect(await code(await poll(peer, begun))).toBe("expired_token");
    expect((await peer.register()).user_id).toBe(peer.user);
  });

  it("asks a peer that cannot wait to slow down", async () => {
    const peer = await join();
    const begun = await begin(peer);
    const answers = await Promise.all([1, 2, 3].map(() => poll(peer, begun).then(code)));
    expect(answers.filter((one) => one === "authorization_pending")).toHaveLength(1);
    expect(answers.filter((one) => one === "slow_down")).toHaveLength(2);
  });

  it("is decided once, also by two people at the same moment", async () => {
    const peer = await join();
    const people = await Promise.all([1, 2, 3].map(() => person()));
    const begun = await begin(peer);
    const answers = await Promise.all(people.map((one) => decide(one, begun, true)));
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 404)).toHaveLength(2);
    const winner = people[answers.findIndex(({ status }) => status === 204)];
    expect(DeviceLink.parse(await (await poll(peer, begun)).json()).user_id).toBe(winner?.user);
  });

  it("is of no use to another peer, approved or not", async () => {
    const [peer, thief, somebody] = [await join(), await join(), await person()];
    const begun = await begin(peer);
    expect(await code(await poll(thief, begun))).toBe("expired_token");
    await decide(somebody, begun, true);
    expect(await code(await poll(thief, begun))).toBe("expired_token");
    expect((await thief.register()).user_id).toBe(thief.user);
  });

  it("is approved by nobody who is not logged in, or by another site's page", async () => {
    const begun = await begin(await join());
    const body = { user_code: begun.user_code, approve: true };
    expect(await code(await ask("/auth/device/decide", { body }))).toBe("session_missing");
    const registered = await ask("/auth/register", {
      body: { email: `csrf-${crypto.randomUUID()}@example.org`, password: "x".repeat(12) },
    });
    const cookie = /^[^;]+/.exec(registered.headers.get("set-cookie") ?? "")?.[0] ?? "";
    const headers = { cookie, origin: "https://evil.example" };
    expect(await code(await ask("/auth/device/decide", { body, headers }))).toBe(
      "origin_not_allowed",
    );
  });

  it("is guessed by nobody: thirty tries of a person, then none for a while", async () => {
    const somebody = await person();
    const guess = (letters: string) =>
      somebody.ask("/auth/device/find", { body: { user_code: letters } });
    const tries = await Promise.all(Array.from({ length: 30 }, () => guess("BBBB-BBBB")));
    expect(new Set(tries.map(({ status }) => status))).toEqual(new Set([404]));
    const locked = await guess("BBBB-BBBB");
    expect(await code(locked)).toBe("rate_limited");
    expect(locked.headers.get("ratelimit-policy")).toContain('"user-code";q=30;w=900');
  });
});

describe("linking", () => {
  it("brings the peer's credits along, and its starter credits once for a person", async () => {
    const somebody = await person();
    const [first, second] = [await join(), await join()];
    await link(first, somebody);
    expect((await balance(first, somebody.user)).available).toBe("100");
    await link(second, somebody);
    expect((await balance(second, somebody.user)).available).toBe("100");
    const { transactions } = Transactions.parse(
      await (await first.call(`/users/${somebody.user}/transactions`)).json(),
    );
    expect(transactions).toMatchObject([{ type: "merge", available_change: "100" }]);
  });

  it("gives a person whose first peer is new the starter credits", async () => {
    const [peer, somebody] = [await newPeer(coordinator().url), await person()];
    await link(peer, somebody);
    expect((await peer.register()).user_id).toBe(somebody.user);
    expect((await balance(peer, somebody.user)).available).toBe("100");
  });

  it("takes back starter credits that an open lease holds when the lease returns them", async () => {
    const model = `linked/${crypto.randomUUID()}`;
    const node = await serve(model);
    const somebody = await person();
    await link(await join(), somebody);
    const peer = await join();
    const granted = await authorize(peer, { model, budget: 60_000_000 });
    await link(peer, somebody);
    // Of its 100, 40 went back; the 60 that are held are not the person's to keep.
    expect(await balance(peer, somebody.user)).toMatchObject({ available: "100", held: "60" });
    const receipt = receiptOf(granted);
    expect(await submit(node, [granted], [receipt])).toMatchObject([{ status: "settled" }]);
    expect((await balance(peer, somebody.user)).held).toBe("59.998");
  });

  it("keeps a ticket good that was taken before, and takes new ones from the person's credits", async () => {
    const model = `linked/${crypto.randomUUID()}`;
    await serve(model);
    const [peer, somebody] = [await join(), await person()];
    const granted = await authorize(peer, { model, budget: 10_000_000 });
    await link(peer, somebody);
    const extended = await peer.call("/authorize/extend", {
      body: { ticket: granted.ticket, add: 5_000_000 },
    });
    expect(extended.status).toBe(200);
    expect(await balance(peer, somebody.user)).toMatchObject({ available: "85", held: "15" });
    await authorize(peer, { model, budget: 20_000_000 });
    expect(await balance(peer, somebody.user)).toMatchObject({ available: "65", held: "35" });
  });
});

describe("a person's peers", () => {
  it("are listed to the person and to each of them, and to nobody else", async () => {
    const somebody = await person();
    const node = await serve(`listed/${crypto.randomUUID()}`);
    await link(node, somebody);
    const second = await newPeer(coordinator().url);
    await link(second, somebody);
    const listed = await peersOf(await somebody.ask("/auth/peers"));
    expect(new Map(listed.map((one) => [one.peer_id, one.live]))).toEqual(
      new Map([
        [node.identity.peerId, true],
        [second.identity.peerId, false],
      ]),
    );
    expect(Date.parse(listed[0]?.last_used_at ?? "")).toBeGreaterThan(Date.now() - 600_000);
    expect(await peersOf(await second.call("/auth/peers"))).toEqual(listed);
    const stranger = await join();
    expect((await peersOf(await stranger.call("/auth/peers"))).map((one) => one.peer_id)).toEqual([
      stranger.identity.peerId,
    ]);
    expect(await code(await ask("/auth/peers"))).toBe("session_missing");
  });

  it("are signed out by the person: no ticket, no extension, no heartbeat, no look at the money", async () => {
    const model = `revoked/${crypto.randomUUID()}`;
    await serve(model);
    const [peer, somebody] = [await join(), await person()];
    await link(peer, somebody);
    const registration = await peer.register();
    const granted = await authorize(peer, { model, budget: 1_000_000 });
    expect((await peer.beat(registration)).status).toBe(200);

    const path = `/auth/peers/${peer.identity.peerId}/revoke`;
    expect((await somebody.ask(path, { method: "POST" })).status).toBe(204);
    // Again: perhaps nobody heard the answer.
    expect((await somebody.ask(path, { method: "POST" })).status).toBe(204);
    expect(await code(await peer.call("/authorize", { body: { model } }))).toBe("peer_revoked");
    expect(await code(await peer.call("/register", { body: {} }))).toBe("peer_revoked");
    const body = { ticket: granted.ticket, add: 1_000 };
    expect(await code(await peer.call("/authorize/extend", { body }))).toBe("lease_not_found");
    expect(await code(await peer.beat(registration))).toBe("enrolment_invalid");
    expect(await code(await peer.call(`/users/${somebody.user}/balance`))).toBe("not_found");
    expect(await peersOf(await peer.call("/auth/peers"))).toEqual([]);
    expect(await peersOf(await somebody.ask("/auth/peers"))).toEqual([]);

    // Linked again, it is as good as before.
    await link(peer, somebody);
    expect((await balance(peer, somebody.user)).total).toBe("100");
    expect((await peer.call("/authorize", { body: { model } })).status).toBe(200);
  });

  it("earn for the person what they did before they were signed out", async () => {
    const model = `revoked/${crypto.randomUUID()}`;
    const node = await serve(model);
    const [client, somebody, keeper] = [
      await join(),
      await person(),
      await newPeer(coordinator().url),
    ];
    await link(node, somebody);
    await link(keeper, somebody);
    const granted = await authorize(client, { model });
    const receipt = receiptOf(granted);
    await somebody.ask(`/auth/peers/${node.identity.peerId}/revoke`, { method: "POST" });
    await submit(node, [granted], [receipt]);
    expect(await balance(keeper, somebody.user)).toMatchObject({ in_escrow: "0.002" });
  });

  it("sign out themselves, and no other", async () => {
    const somebody = await person();
    const [one, other] = [await join(), await join()];
    await link(one, somebody);
    await link(other, somebody);
    const revoke = (by: TestPeer, of: TestPeer) =>
      by.call(`/auth/peers/${of.identity.peerId}/revoke`, { method: "POST" });
    expect(await code(await revoke(one, other))).toBe("not_found");
    expect((await revoke(one, one)).status).toBe(204);
    expect((await revoke(one, one)).status).toBe(204);
    const loner = await join();
    expect(await code(await revoke(loner, loner))).toBe("not_found");
    expect((await loner.register()).user_id).toBe(loner.user);
  });

  it("are signed out by no other person", async () => {
    const [peer, somebody, stranger] = [await join(), await person(), await person()];
    await link(peer, somebody);
    const path = `/auth/peers/${peer.identity.peerId}/revoke`;
    expect(await code(await stranger.ask(path, { method: "POST" }))).toBe("not_found");
    expect((await peer.register()).user_id).toBe(somebody.user);
  });
});

it("serves a page that nothing foreign can run in or put a frame around", async () => {
  const [one, two] = await Promise.all([ask("/account"), ask("/account")]);
  const policy = one.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  const nonce = /script-src 'nonce-([\w-]+)'/.exec(policy)?.[1] ?? "";
  const page = await one.text();
  expect(page).toContain(`<script nonce="${nonce}">`);
  expect(await two.text()).not.toContain(nonce);
  expect(page).not.toContain("innerHTML");
  // Nothing that the policy would have to make an exception for, and nothing from elsewhere.
  expect(page.match(/<(script|style)/g)).toHaveLength(2);
  expect(page.match(new RegExp(`<(script|style) nonce="${nonce}">`, "g"))).toHaveLength(2);
  expect(page).not.toMatch(/\s(on\w+|style|src)=|https?:|javascript:/);
});
