import { signInPlace } from "#peer/home/identity-file";
import { Authorization } from "#protocol/authorize";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { newPeer, type TestPeer } from "#support/test-peer";

export type AuthorizePlan = {
  readonly kind: "authorize";
  readonly coordinatorUrl: string;
  readonly peers: number;
  readonly callsEach: number;
  readonly warmUpCallsEach: number;
  /** All peers call at the same time, each again as soon as it has its answer; else they take turns. */
  readonly isAtOnce: boolean;
};

/** Of each call: from before the proof is signed to the parsed answer. */
export type AuthorizeResult = { readonly callMs: number[]; readonly callsPerSecond: number };

const MODEL = "bench/model:1b";
/** Small, so that no peer's starter credits end. */
const BODY = { model: MODEL, budget: 1_000_000 };

export async function authorizeLoad(plan: AuthorizePlan): Promise<AuthorizeResult> {
  const node = await newPeer(plan.coordinatorUrl);
  const beat = await node.beat(await node.register(), {
    models: [{ id: MODEL, engine: "vllm", state: "loaded" }],
  });
  if (beat.status !== 200) throw new Error(`a heartbeat was answered with ${beat.status}`);

  const peers = await Promise.all(
    Array.from({ length: plan.peers }, () => client(plan.coordinatorUrl)),
  );
  for (const peer of peers) await peer.register();
  const callInTurn = async (calling: readonly TestPeer[], turns: number): Promise<number[]> => {
    const ms: number[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      for (const peer of calling) ms.push(await authorizeOnce(peer));
    }
    return ms;
  };
  const callAll = async (turns: number): Promise<number[]> => {
    if (!plan.isAtOnce) return callInTurn(peers, turns);
    const each = await Promise.all(peers.map((peer) => callInTurn([peer], turns)));
    return each.flat();
  };
  await callAll(plan.warmUpCallsEach);
  const startMs = performance.now();
  const callMs = await callAll(plan.callsEach);
  return { callMs, callsPerSecond: (callMs.length * 1_000) / (performance.now() - startMs) };
}

/** A peer that signs as `troop` does: WebCrypto, on another thread, takes several times as long on the same cores. */
async function client(coordinatorUrl: string): Promise<TestPeer> {
  const key = await generatePrivateKey();
  return newPeer(coordinatorUrl, await openIdentity(key, signInPlace(key)));
}

async function authorizeOnce(peer: TestPeer): Promise<number> {
  const startMs = performance.now();
  const answer = await peer.call("/authorize", { body: BODY });
  if (!answer.ok) throw new Error(`an authorize was answered with ${answer.status}`);
  Authorization.parse(await answer.json());
  return performance.now() - startMs;
}
