import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { DeviceCode } from "#protocol/device";
import { type RunningCoordinator, startCoordinator } from "#self-host/coordinator";
import { testStores, useCoordinator } from "#support/coordinator";
import { freePort } from "#support/free-port";
import { newPeer, type TestPeer } from "#support/test-peer";
import { operatorOf } from "./operators";
import { peopleOf } from "./people";
import { codeOf, newModel, newName, privateNetworksOf } from "./private-networks";

const coordinator = useCoordinator();
const { person } = peopleOf(coordinator);
const {
  accept,
  create,
  friend,
  invite,
  join: joinNetwork,
  lend,
  modelsIn,
  nodesIn,
} = privateNetworksOf(coordinator);
type Person = Awaited<ReturnType<typeof person>>;

async function approved(peer: TestPeer, by: Person): Promise<DeviceCode> {
  const begun = DeviceCode.parse(await (await peer.call("/auth/device", { body: {} })).json());
  const body = { user_code: begun.user_code, approve: true };
  expect((await by.ask("/auth/device/decide", { body })).status).toBe(204);
  return begun;
}

const poll = (peer: TestPeer, { device_code }: DeviceCode) =>
  peer.call("/auth/device/token", { body: { device_code } });

async function signOut(peer: TestPeer, by: Person): Promise<void> {
  const path = `/auth/peers/${peer.identity.peerId}/revoke`;
  expect((await by.ask(path, { method: "POST" })).status).toBe(204);
}

describe("a peer that was signed out", () => {
  it("is not linked again by a code from before, used or not", async () => {
    const [peer, somebody] = [await newPeer(coordinator().url), await person()];
    const codes = [await approved(peer, somebody), await approved(peer, somebody)] as const;
    expect((await poll(peer, codes[0])).status).toBe(200);
    await signOut(peer, somebody);
    for (const code of codes) expect(await codeOf(poll(peer, code))).toBe("expired_token");
    expect(await codeOf(peer.call("/register", { body: {} }))).toBe("peer_revoked");
    // One that it asks for now is as good as any.
    expect((await poll(peer, await approved(peer, somebody))).status).toBe(200);
  });

  it("makes and joins no network", async () => {
    const [owner, peer, somebody] = [await friend(), await friend(), await person()];
    const open = await invite(owner, await create(owner));
    expect((await poll(peer, await approved(peer, somebody))).status).toBe(200);
    await signOut(peer, somebody);
    expect(await codeOf(peer.call("/networks", { body: { name: newName() } }))).toBe(
      "peer_revoked",
    );
    expect(await codeOf(accept(peer, open))).toBe("peer_revoked");
    expect((await accept(await friend(), open)).status).toBe(200);
  });

  it("is offered to nobody from that moment on, in no network", async () => {
    const [owner, somebody, client, model] = [
      await friend(),
      await person(),
      await friend(),
      newModel(),
    ];
    const network = await create(owner);
    const node = await joinNetwork(owner, network, "member");
    expect((await poll(node, await approved(node, somebody))).status).toBe(200);
    node.enrolled = await node.register();
    const models = [{ id: model, engine: "ollama", state: "loaded" } as const];
    const networks = ["public", network.id];
    expect((await node.beat(node.enrolled, { networks, models })).status).toBe(200);
    expect(await nodesIn(owner, network.id)).toEqual([node.node]);
    expect((await client.call("/authorize", { body: { model } })).status).toBe(200);

    await signOut(node, somebody);
    expect(await nodesIn(owner, network.id)).toEqual([]);
    expect(await codeOf(client.call("/authorize", { body: { model } }))).toBe("model_unavailable");
    expect(await codeOf(node.beat(node.enrolled, { networks, models }))).toBe("enrolment_invalid");
    expect(await codeOf(client.call("/authorize", { body: { model } }))).toBe("model_unavailable");
  });
});

describe("a peer that was given to another person", () => {
  it("lends no more in the networks of the one before, whatever it was enrolled for", async () => {
    const [node, somebody, another] = [await friend(), await person(), await person()];
    expect((await poll(node, await approved(node, somebody))).status).toBe(200);
    const network = await create(node);
    node.enrolled = await node.register();
    const model = newModel();
    expect(await lend(node, network.id, model)).toEqual([]);

    expect((await poll(node, await approved(node, another))).status).toBe(200);
    const networks = [network.id];
    expect(await codeOf(node.beat(node.enrolled, { networks }))).toBe("enrolment_invalid");
    node.enrolled = await node.register();
    expect(node.enrolled.networks).toEqual(["public"]);
    expect(await lend(node, network.id, model)).toEqual([network.id]);
  });

  it("lends on where the person is in the network, once it is enrolled for that one", async () => {
    const [owner, somebody, model] = [await friend(), await person(), newModel()];
    const network = await create(owner);
    const node = await joinNetwork(owner, network, "member");
    expect(await lend(node, network.id, model)).toEqual([]);
    expect((await poll(node, await approved(node, somebody))).status).toBe(200);
    node.enrolled = await node.register();
    expect(await lend(node, network.id, model)).toEqual([]);
    expect(await nodesIn(owner, network.id)).toEqual([node.node]);
  });
});

it("a node is offered where its latest heartbeat says, and nowhere else", async () => {
  const owner = await friend();
  const network = await create(owner);
  owner.enrolled = await owner.register();
  const [before, after] = [newModel(), newModel()];
  expect(await lend(owner, network.id, before)).toEqual([]);
  expect(await modelsIn(owner, network.id)).toEqual([before]);
  expect(await lend(owner, "public", after)).toEqual([]);
  expect(await nodesIn(owner, network.id)).toEqual([]);
  const asked = { body: { model: before, network: network.id } };
  expect(await codeOf(owner.call("/authorize", asked))).toBe("model_unavailable");
});

describe("a coordinator that was started again, whose Redis was emptied by that", () => {
  it("takes no enrolment from before, so that nobody serves again who must not", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "troop-restart-"));
    // A Redis of its own, which keeps nothing; and one port, since peers know a coordinator by its URL.
    const start = (port: number) =>
      startCoordinator({
        dataDir,
        host: "127.0.0.1",
        port,
        databaseUrl: testStores.databaseUrl,
        settings: { ALLOWED_RANGES: "127.0.0.0/8", REGISTRATIONS_PER_HOUR: "1000" },
      });
    const port = await freePort();
    let running: RunningCoordinator = await start(port);
    onTestFinished(async () => {
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    });
    const here = () => ({ ...running, dataDir });
    const networks = privateNetworksOf(here);
    const operator = operatorOf(here);
    const owner = await networks.friend();
    const network = await networks.create(owner);
    const [removed, suspended, honest] = [
      await networks.join(owner, network, "member"),
      await networks.friend(),
      await networks.friend(),
    ];
    const model = newModel();
    expect(await networks.lend(removed, network.id, model)).toEqual([]);
    const path = `/networks/${network.id}/members/${removed.user}`;
    expect((await owner.call(path, { method: "DELETE" })).status).toBe(200);
    const suspend = `/admin/nodes/${suspended.node}/suspend`;
    expect((await operator.call(suspend, { reason: "tests" })).status).toBe(204);

    await running.stop();
    // An enrolment tells its time in seconds.
    while (Math.floor(Date.now() / 1_000) <= enrolledAtS(honest.enrolled.enrolment)) await tick();
    running = await start(port);

    const again = { networks: [network.id] };
    expect(await codeOf(removed.beat(removed.enrolled, again))).toBe("enrolment_invalid");
    expect((await removed.register()).networks).toEqual(["public"]);
    expect(await codeOf(honest.beat(honest.enrolled))).toBe("enrolment_invalid");
    honest.enrolled = await honest.register();
    expect((await honest.beat(honest.enrolled)).status).toBe(200);
    suspended.enrolled = await suspended.register();
    const said = await suspended.beat(suspended.enrolled);
    expect(await said.json()).toMatchObject({ suspended: { reason: "tests" } });
  });
});

function enrolledAtS(enrolment: string): number {
  const [, claims = ""] = enrolment.split(".");
  return (JSON.parse(Buffer.from(claims, "base64url").toString()) as { iat: number }).iat;
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
