import { counted } from "#protocol/counted";
import type { HardwareStanding } from "#protocol/hardware";
import type { CommandContext } from "../cli/context";
import { CliError, EXIT } from "../cli/error";
import { command } from "../command";
import { printable } from "../coordinator/printable";
import { barChart } from "../hardware/bar-chart";
import { ProofYielded } from "../hardware/device";
import { progressLine } from "../hardware/progress-line";
import { ProofVersionError } from "../hardware/prove";
import { REFERENCE_DEVICES } from "../hardware/reference-devices";
import { runProof } from "../hardware/run-proof";
import { askOwnWorker } from "./lending-state";

type Benchmark = {
  /** Whether the coordinator checked it and counts it. */
  readonly verified: boolean;
  /** Credits a second that this machine earns from now on. */
  readonly multiplier: number;
  /** What this run alone comes to. */
  readonly run_multiplier: number;
  readonly path: "cpu" | "gpu";
  readonly device: string;
  /** Operations and bytes a second. */
  readonly compute_ops: number;
  readonly memory_bytes: number;
  readonly standing: HardwareStanding;
};

export const benchmark = command({
  schema: "troop.benchmark/1",
  flags: {},
  run: async (ctx): Promise<Benchmark> => {
    const signal = ctx.stopSignal();
    const { home, api } = await ctx.coordinator();
    await leaveOthersAlone(ctx);
    try {
      const onProgress = progressLine(ctx.say);
      const { passed, device, whyNoGpu } = await runProof(home, api, { signal, onProgress });
      if (whyNoGpu !== undefined) ctx.say(`The CPU was measured: ${whyNoGpu}.`);
      const { compute_ops, memory_bytes, run_multiplier, standing } = passed;
      const { verified, multiplier } = standing;
      const { path, label } = device;
      return {
        verified,
        multiplier,
        run_multiplier,
        path,
        device: label,
        compute_ops,
        memory_bytes,
        standing,
      };
    } catch (error) {
      throw explained(error);
    }
  },
  human: renderBenchmark,
});

/** A run takes all of the machine, and whoever is served by it now, or uses its GPU, would wait. */
async function leaveOthersAlone(ctx: CommandContext<unknown, Benchmark>): Promise<void> {
  const worker = await askOwnWorker(ctx, { ask: "status" });
  if (worker === undefined) return;
  const hint = "Run: troop pause, and then: troop benchmark";
  if (worker.running > 0) {
    const why = "This machine's worker serves a request now";
    throw new CliError(
      EXIT.failed,
      `${why}, and a benchmark would take the machine from it.`,
      hint,
    );
  }
  if (worker.reason === "gpu_in_use") {
    const why = `Others use this machine: ${printable(worker.why)}`;
    const all = `Try again later; or all the same: ${hint.replace("Run: ", "")}`;
    throw new CliError(EXIT.failed, `${why}. A benchmark would disturb that, and find less.`, all);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof ProofYielded) {
    return new CliError(EXIT.failed, "The benchmark was stopped.", "Run: troop benchmark");
  }
  if (error instanceof ProofVersionError) {
    return new CliError(
      EXIT.failed,
      "The coordinator asks for a proof that this version of troop does not know.",
      "Install the newest version of troop.",
    );
  }
  return error;
}

function renderBenchmark(data: Benchmark): string {
  const own = { name: "this machine, this run", value: data.run_multiplier };
  const others = REFERENCE_DEVICES.map(({ name, multiplier }) => ({ name, value: multiplier }));
  const bars = [own, ...others].toSorted((a, b) => b.value - a.value);
  return `Compute   ${(data.compute_ops / 1e9).toFixed(1)} billion operations a second (${data.path.toUpperCase()}, ${data.device})
Memory    ${(data.memory_bytes / 1e9).toFixed(1)} GB a second
This run  ${counted(data.run_multiplier.toFixed(2), "credit")} a second

${barChart(bars)}
${standingLine(data.standing)}
`;
}

function standingLine({ basis, multiplier, until }: HardwareStanding): string {
  const earns = `A second on this machine is worth ${counted(multiplier.toFixed(2), "credit")}`;
  if (basis !== "proof") return `${earns}: this run on demand does not count any more.`;
  return `${earns}, verified, until ${until ?? "the next proof"}.`;
}
