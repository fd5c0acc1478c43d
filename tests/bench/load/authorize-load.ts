import { Authorization } from "#protocol/authorize";
import { newPeer } from "#support/test-peer";

export type AuthorizePlan = {
  readonly kind: "authorize";
  readonly coordinatorUrl: string;
  /** They take turns, so that none meets its rate window. */
  readonly peers: number;
  readonly callsEach: number;
  readonly warmUpCallsEach: number;
};

/** Of each call: from before the proof is signed to the parsed answer. */
export type AuthorizeResult = { readonly callMs: number[] };

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
  for (let turn = -plan.warmUpCallsEach; turn < plan.callsEach; turn += 1) {
    for (const peer of peers) {
      const startMs = performance.now();
      const answer = await peer.call("/authorize", { body: BODY });
      if (!answer.ok) throw new Error(`an authorize was answered with ${answer.status}`);
      Authorization.parse(await answer.json());
      if (turn >= 0) callMs.push(performance.now() - startMs);
    }
  }
  return { callMs };
}
