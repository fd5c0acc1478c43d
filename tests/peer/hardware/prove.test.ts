import { expect, it } from "vitest";
import { type ProofDevice, ProofYielded } from "#peer/hardware/device";
import { proveHardware } from "#peer/hardware/prove";
import { stopBetween } from "#peer/hardware/stop-between";
import { type CommitRequest, HARDWARE_VERSION, MIN_COMPUTE_MS } from "#protocol/hardware";
import { DIGEST_BYTES } from "#protocol/poh/row-digest";

const ROWS = 1_024;
const KEY = "A".repeat(43);
const ID = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
type Step = "challenge" | `${"commit" | "verify"} ${CommitRequest["part"]}`;

/** A run against a coordinator that takes everything; the person comes back while one of its calls is answered. */
async function stoppedAt(step: Step) {
  const person = new AbortController();
  const stop = stopBetween(person.signal);
  const seen: Step[] = [];
  const answered = (own: Step) => {
    seen.push(own);
    if (own === step) person.abort();
  };
  const working = async <Value>(value: Value): Promise<Value> => {
    if (stop.signal.aborted) throw new ProofYielded("The device was given back.");
    return value;
  };
  const device: ProofDevice = {
    path: "cpu",
    label: "",
    tableRowsWanted: ROWS,
    compute: () =>
      working({ rows: ROWS, digests: new Uint8Array(ROWS * DIGEST_BYTES), tableRows: ROWS }),
    leafRows: () => working(new Uint8Array(64 * 1_024)),
    pass: () => working(new Uint8Array((ROWS / 4) * DIGEST_BYTES)),
    close: async () => {},
  };
  let nowMs = 0;
  const outcome = await proveHardware({
    device,
    stop,
    nodeId: "n",
    enrolment: "",
    // Each look at the clock is later than a part may take.
    steadyMs: () => (nowMs += MIN_COMPUTE_MS),
    onProgress: () => {},
    keptDigestBytes: 0,
    api: {
      async challengeHardware() {
        answered("challenge");
        const times = { min_ms: MIN_COMPUTE_MS, expires_in_seconds: 60 };
        return {
          id: ID,
          version: HARDWARE_VERSION,
          nonce: KEY,
          seed: KEY,
          max_rows: ROWS,
          ...times,
        };
      },
      async commitHardware({ part }) {
        answered(`commit ${part}`);
        return { open: [0], within_ms: 5_000 };
      },
      async verifyHardware({ part }) {
        answered(`verify ${part}`);
        const limits = { min_ms: 1_500, max_passes: 1, full_table_rows: ROWS };
        if (part === "compute") return { status: "continue", key: KEY, ...limits };
        const standing = { version: 1, verified: true, multiplier: 1, basis: "proof" } as const;
        const rates = { compute_ops: 1, memory_bytes: 1, run_multiplier: 1 };
        return { status: "passed", ...rates, standing };
      },
    },
  }).then(
    ({ status }) => status,
    (error: Error) => error.name,
  );
  return { outcome, last: seen.at(-1) };
}

it.each<[Step, Step, string]>([
  ["challenge", "challenge", "ProofYielded"],
  ["commit compute", "verify compute", "ProofYielded"],
  ["verify compute", "verify compute", "ProofYielded"],
  ["commit memory", "verify memory", "passed"],
])("stopped during %s, it says last: %s", async (step, last, outcome) => {
  expect(await stoppedAt(step)).toEqual({ last, outcome });
});
