import { MODEL } from "../demo-engine";

export type FailoverPlan = {
  readonly kind: "failover";
  readonly url: string;
  /** The node that goes away, and its process. */
  readonly victim: { readonly nodeId: string; readonly pid: number };
  /** Requests that look for it, before and after. */
  readonly requests: number;
};

export type FailoverResult = {
  /** Milliseconds to the first byte of answers by the first node that was asked, and by the second. */
  readonly firstMs: readonly number[];
  readonly secondMs: readonly number[];
};

type Seen = { readonly ms: number; readonly attempts: number; readonly nodeId: string };

const LOOKS = 400;
const LOOK_EVERY_MS = 50;

/** Kills a node that requests go to, and asks on: some meet its closed port first. */
export async function failoverLoad(plan: FailoverPlan): Promise<FailoverResult> {
  const ask = async (): Promise<Seen> => {
    const startMs = performance.now();
    const answer = await fetch(`${plan.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      // Another beginning each time: no conversation that goes back to its node.
      body: JSON.stringify({
        model: MODEL,
        messages: [{ role: "user", content: crypto.randomUUID() }],
        max_tokens: 1,
      }),
    });
    const ms = performance.now() - startMs;
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`a request was answered with ${answer.status}`);
    const nodeId = answer.headers.get("x-troop-node") ?? "";
    return { ms, attempts: Number(answer.headers.get("x-troop-attempts")), nodeId };
  };
  for (let look = 0; (await ask()).nodeId !== plan.victim.nodeId; look += 1) {
    if (look === LOOKS) throw new Error("no request goes to the node that is to be killed");
    await Bun.sleep(LOOK_EVERY_MS);
  }
  const before: Seen[] = [];
  for (let request = 0; request < plan.requests; request += 1) before.push(await ask());
  process.kill(plan.victim.pid, "SIGKILL");
  await gone(plan.victim.pid);
  const after: Seen[] = [];
  for (let request = 0; request < plan.requests; request += 1) after.push(await ask());
  const of = (seen: readonly Seen[], attempts: number): number[] =>
    seen.filter((one) => one.attempts === attempts).map(({ ms }) => ms);
  return { firstMs: of(before, 1), secondMs: of(after, 2) };
}

/** Its port is closed when its process is no more. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return; // Nobody has that number any more.
    }
    await Bun.sleep(1);
  }
}
