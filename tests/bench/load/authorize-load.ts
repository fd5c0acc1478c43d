import { Authorization } from "#protocol/authorize";
import { newPeer, type TestPeer } from "#support/test-peer";

export type AuthorizePlan = {
  readonly kind: "authorize";
  readonly coordinatorUrl: string;
  readonly peers: number;
  readonly callsEach: number;
  readonly warmUpCallsEach: number;
  /** All peers call at the same time, again and again; else they take turns. */
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
    Array.from({ length: plan.peers }, () => newPeer(plan.coordinatorUrl)),
  );
  for (const peer of peers) await peer.register();
  const callMs: number[] = [];
  const round = async (isCounted: boolean): Promise<void> => {
    const calls = peers.map((peer) => async () => {
      const ms = await authorizeOnce(peer);
      if (isCounted) callMs.push(ms);
    });
    if (plan.isAtOnce) await Promise.all(calls.map((call) => call()));
    else for (const call of calls) await call();
  };
  for (let turn = 0; turn < plan.warmUpCallsEach; turn += 1) await round(false);
  const startMs = performance.now();
  for (let turn = 0; turn < plan.callsEach; turn += 1) await round(true);
  return { callMs, callsPerSecond: (callMs.length * 1_000) / (performance.now() - startMs) };
}

async function authorizeOnce(peer: TestPeer): Promise<number> {
  const startMs = performance.now();
  const answer = await peer.call("/authorize", { body: BODY });
  if (!answer.ok) throw new Error(`an authorize was answered with ${answer.status}`);
  Authorization.parse(await answer.json());
  return performance.now() - startMs;
}
