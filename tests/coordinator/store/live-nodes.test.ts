import { beforeAll, expect, it } from "vitest";
import { announcedKey, liveKeys } from "#coordinator/store/live-keys";
import { type AskedNodes, readNodes, sampleOffers } from "#coordinator/store/live-nodes";
import { recordHeartbeat } from "#coordinator/store/record-heartbeat";
import { type Heartbeat, NODE_DEAD_AFTER_S } from "#protocol/heartbeat";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import type { ProofClaims } from "#protocol/proof";
import { openTestStores, type TestStores } from "#support/stores";

let redis: TestStores["redis"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ redis } = stores);
  return stores.close;
});

const NETWORK = `n${crypto.randomUUID()}`;
const MODEL = "llama3.1:8b";

const said: Heartbeat = {
  state: "serving",
  urls: ["http://100.64.0.1:8080"],
  e2e_key: "the.nodes.key",
  models: [{ id: MODEL, engine: "ollama", state: "loaded" }],
  withdrawn: [],
  running: 0,
  waiting: 0,
  concurrency: 1,
  version: "1.0.0",
};

function proofOf(peer: string): ProofClaims {
  const jti = crypto.randomUUID();
  const [iat, bh] = [1_700_000_000, "A".repeat(43)];
  return { iss: peer, aud: "a", htm: "GET", htu: "a/", iat, exp: iat + 60, jti, bh };
}

async function announce(networks = [NETWORK], heartbeat = said): Promise<string> {
  const { peerId } = await openIdentity(await generatePrivateKey());
  const node = {
    nodeId: peerId,
    userId: `usr_${"a".repeat(26)}`,
    networks,
    rate: 1_000_000,
    enrolledAtS: Math.floor(Date.now() / 1_000),
  };
  const recorded = await recordHeartbeat(redis, proofOf(peerId), node, heartbeat, Date.now());
  expect(recorded.outcome).toBe("recorded");
  return peerId;
}

it("a heartbeat of very many models in very many networks costs no more than a thousand offers", async () => {
  const models = Array.from({ length: 256 }, (_, at) => ({
    id: `model-${String(at).padStart(3, "0")}`,
    engine: "ollama" as const,
    state: "loaded" as const,
  }));
  const offered = async (count: number): Promise<number[]> => {
    const networks = Array.from({ length: count }, () => `n${crypto.randomUUID()}`);
    await announce(networks, { ...said, models, withdrawn: models.map(({ id }) => `${id}-old`) });
    return Promise.all(networks.map((network) => redis.zcard(liveKeys.models(network))));
  };
  expect(await offered(1)).toEqual([256]);
  expect(await offered(4)).toEqual(Array(4).fill(256));
  expect(await offered(50)).toEqual(Array(50).fill(20));
});

it("a node is announced for as long as it is offered without another heartbeat", async () => {
  const left = await redis.ttl(announcedKey(await announce()));
  expect(left).toBeGreaterThan(NODE_DEAD_AFTER_S - 10);
  expect(left).toBeLessThanOrEqual(NODE_DEAD_AFTER_S);
});

it.each([
  ["no JSON", "{"],
  ["JSON of another shape", '{"node_id":"of a later version"}'],
])("goes on with the other nodes where one record is %s", async (_, written) => {
  const nodes = [await announce(), await announce()];
  await redis.hset(liveKeys.offers(NETWORK, MODEL), { odd: written });
  await redis.hset(liveKeys.nodes(NETWORK), { odd: written });

  const { offers } = await sampleOffers(redis, proofOf("client"), NETWORK, MODEL);
  expect(offers.map((offer) => offer.node_id)).toEqual(expect.arrayContaining(nodes));
  expect(offers.map((offer) => offer.node_id)).not.toContain("odd");

  const listed = await readNodes(redis, proofOf("client"), NETWORK, "0", Date.now());
  expect(listed.nodes.map((node) => node.node_id)).toEqual(expect.arrayContaining(nodes));
  expect(listed.dead).toEqual([]);
});

it("finds nodes that are asked for by name, besides those that it draws or alone", async () => {
  const [one, two, three] = [await announce(), await announce(), await announce()];
  const unknown = "x".repeat(43);
  const find = async (asked: AskedNodes): Promise<string[]> => {
    const { replayed, offers } = await sampleOffers(redis, proofOf(one), NETWORK, MODEL, asked);
    expect(replayed).toBe(false);
    return offers.map(({ node_id }) => node_id);
  };
  expect(await find({ only: [two, unknown] })).toEqual([two]);
  expect(await find({ only: [unknown] })).toEqual([]);
  const preferred = await find({ prefer: [three, unknown] });
  expect(preferred[0]).toBe(three);
  expect(preferred).toEqual([...new Set(preferred)]);
  expect(preferred).toEqual(expect.arrayContaining([one, two, three]));
  expect(await find({ only: [one], prefer: [two] })).toEqual([one]);
});

it("an offer counts as its node said it last, and one that cannot be read is left out each time", async () => {
  const network = `n${crypto.randomUUID()}`;
  const id = await announce([network]);
  const asked = async () =>
    (await sampleOffers(redis, proofOf("x".repeat(43)), network, MODEL)).offers;
  const [first] = await asked();
  expect(first).toMatchObject({ node_id: id, running: 0 });
  expect(await asked()).toEqual([first]);
  await redis.hset(liveKeys.offers(network, MODEL), {
    [id]: JSON.stringify({ ...first, running: 3 }),
    other: "{",
    another: "{}",
  });
  for (let turn = 0; turn < 2; turn += 1) expect(await asked()).toEqual([{ ...first, running: 3 }]);
});
