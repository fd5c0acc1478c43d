import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { AuditPage } from "#protocol/audit";
import { Problem } from "#protocol/problem";
import { startCoordinator } from "#self-host/coordinator";
import { testStores, useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { membersOf } from "./members";
import { operatorOf } from "./operators";

const coordinator = useCoordinator();
const operator = operatorOf(coordinator);
const { ackOf, authorize, join: enrol, receiptOf, serve, submit } = membersOf(coordinator);

it("notes who registered, who was authorized and which receipts were contradicted, with ids and no secrets", async () => {
  const node = await serve("audit/model");
  const client = await enrol();
  const granted = await authorize(client, { model: "audit/model", budget: 1_000_000 });
  await submit(node, [granted], [receiptOf(granted)]);
  const ack = ackOf(node, granted, { request_hash: "z".repeat(43) });
  await submit(client, [granted], { acks: [ack] });

  const of = `peer_id=${client.identity.peerId}`;
  const [disputed] = await operator.awaitEvents(of, "settlement_disputed", 1);
  expect(disputed?.details).toMatchObject({
    lease: granted.lease_id,
    seq: 0,
    node: node.identity.peerId,
  });
  const all = await operator.events(of);
  expect(all.map((event) => event.type)).toEqual([
    "settlement_disputed",
    "authorized",
    "peer_registered",
  ]);
  expect(all[1]).toMatchObject({
    user_id: client.user,
    details: { lease: granted.lease_id, budget: 1_000_000, candidates: 1 },
  });
  const text = JSON.stringify(all);
  expect(text).not.toContain(granted.ticket);
  expect(text).not.toContain("127.0.0.1");
});

it("notes refused proofs with their reason and the route, not with what was in them", async () => {
  const peer = await newPeer(coordinator().url);
  const proof = { jti: crypto.randomUUID() };
  await peer.call("/v1/models", { proof });
  await peer.call("/v1/models", { proof });
  await peer.call("/users/usr_00000000000000000000000000/balance", { proof: { method: "PUT" } });
  const replayed = await operator.awaitEvents(
    `peer_id=${peer.identity.peerId}`,
    "proof_refused",
    1,
  );
  expect(replayed.map((event) => event.details)).toMatchObject([
    { reason: "replayed", route: "GET /v1/models" },
  ]);
  const refused = await operator.awaitEvents("", "proof_refused", 2);
  const wrong = refused.find((event) => event.details["reason"] === "wrong_request");
  expect(wrong?.details["route"]).toMatch(/^GET \/users\/(:id|\{id\})\/balance$/);
});

it("notes an operator's wrong password, and pages through what it finds without missing or repeating any", async () => {
  for (let turn = 0; turn < 3; turn += 1) {
    const guess = await fetch(`${coordinator().url}/admin/audit`, {
      headers: { authorization: "Basic YWRtaW46Z3Vlc3M=" },
    });
    expect(guess.status).toBe(401);
  }
  const all = await operator.awaitEvents("", "operator_refused", 3);
  const seen: string[] = [];
  for (let cursor = ""; ;) {
    const page = AuditPage.parse(
      await (
        await operator.call(`/admin/audit?limit=1&event_type=operator_refused${cursor}`)
      ).json(),
    );
    expect(page.events).toHaveLength(1);
    seen.push(...page.events.map((event) => event.id));
    if (page.next_cursor === undefined) break;
    cursor = `&cursor=${page.next_cursor}`;
  }
  expect(seen).toEqual(all.map((event) => event.id));
  const future = new Date(Date.now() + 60_000).toISOString();
  expect(await operator.events(`since=${future}`)).toEqual([]);
});

it("notes a full window once, however many requests it refuses", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "troop-audit-"));
  const running = await startCoordinator({
    dataDir,
    host: "127.0.0.1",
    port: 0,
    // Embedded stores of its own: others fill windows, too.
    settings: { REGISTRATIONS_PER_HOUR: "1", AUDIT_ADDRESSES: "network" },
  });
  onTestFinished(async () => {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const peers = await Promise.all(Array.from({ length: 9 }, () => newPeer(running.url)));
  await Promise.all(peers.map((peer) => peer.call("/register", { body: {} })));
  const other = operatorOf(() => ({ ...running, dataDir }));
  const [limited, ...more] = await other.awaitEvents("", "rate_limited", 1);
  expect(more).toEqual([]);
  expect(limited?.details).toMatchObject({ window: "register", limit: 1, address: "127.0.0.0/24" });
});

it("loses no event when the coordinator is stopped in order, nor at night while it is new", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "troop-audit-"));
  const start = () =>
    startCoordinator({
      dataDir,
      host: "127.0.0.1",
      port: 0,
      ...testStores,
      settings: { REGISTRATIONS_PER_HOUR: "1000" },
    });
  let running = await start();
  onTestFinished(async () => {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const peers = await Promise.all(Array.from({ length: 25 }, () => newPeer(running.url)));
  const ids = peers.map((peer) => peer.identity.peerId);
  await Promise.all(peers.map((peer) => peer.register()));
  await running.stop();
  running = await start();

  const other = operatorOf(() => ({ ...running, dataDir }));
  const kept = await other.events("event_type=peer_registered&limit=1000");
  expect(kept.filter((event) => ids.includes(event.peer_id ?? "")).length).toBe(25);
  await running.audit();
  expect((await other.events(`peer_id=${ids[0]}`)).length).toBe(1);
});

it("refuses filters that make no sense", async () => {
  for (const query of ["event_type=nothing", "limit=0", "cursor=x", "user_id=1", "since=today"]) {
    const answer = await operator.call(`/admin/audit?${query}`);
    expect(Problem.parse(await answer.json()).code).toBe("request_invalid");
  }
});
