import { columns } from "../cli/columns";
import type { CommandContext } from "../cli/context";
import { CliError, EXIT } from "../cli/error";
import { controlAddress } from "../control/address";
import { askWorker } from "../control/ask";
import type { ControlRequest, WorkerStatus } from "../control/messages";
import { printable } from "../coordinator/printable";

type Asking = Pick<CommandContext<unknown, unknown>, "homeDir" | "platform">;

/** The running worker's answer; `undefined` where none runs with this home. Throws `CliError`. */
export function askOwnWorker(
  { homeDir, platform }: Asking,
  request: ControlRequest,
): Promise<WorkerStatus | undefined> {
  return askWorker(controlAddress(homeDir, platform), request);
}

/** Like `askOwnWorker`, for commands that need one. */
export async function tellOwnWorker(ctx: Asking, request: ControlRequest): Promise<WorkerStatus> {
  const status = await askOwnWorker(ctx, request);
  if (status !== undefined) return status;
  throw new CliError(
    EXIT.failed,
    `No worker runs with the home ${ctx.homeDir}.`,
    "Start one with: troop worker; or name its home with --home DIR.",
  );
}

/** `paused: game.exe uses the GPU, until 21:10`. */
export function stateLine({ state, why, until }: WorkerStatus): string {
  const end = until === undefined ? "" : `, until ${localTime(until)} if nothing happens`;
  return `${state}: ${printable(why)}${end}`;
}

function localTime(iso: string): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday
    ? at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })
    : at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

export function renderLending(worker: WorkerStatus): string {
  return columns(lendingRows(worker));
}

export function lendingRows(worker: WorkerStatus): string[][] {
  const loaded = worker.models.filter(({ state }) => state === "loaded").length;
  return [
    ["state", stateLine(worker)],
    ["policy", worker.policy],
    ["jobs", `${worker.running} running, ${worker.waiting} waiting, ${worker.concurrency} at most`],
    ["models", `${worker.models.length} offered, ${loaded} loaded`],
    ...worker.gpus.map((gpu) => ["gpu", gpuLine(gpu)]),
    ...(worker.policy === "idle" ? [["sees", signalsLine(worker)]] : []),
  ];
}

function gpuLine(gpu: WorkerStatus["gpus"][number]): string {
  const { vram_free_mib: free, vram_total_mib: total } = gpu;
  const memory =
    total === undefined
      ? ""
      : `, ${free === undefined ? "" : `${free} of `}${total} MiB ${free === undefined ? "" : "free"}`;
  return printable(`${gpu.name}${memory.trimEnd()}`);
}

const SIGNALS = { input: "keyboard and mouse", gpu: "GPU", power: "battery", cpu: "processor" };

/** What is known, and why the rest is not. */
function signalsLine({ signals }: WorkerStatus): string {
  return Object.entries(SIGNALS)
    .map(([signal, name]) => {
      const own = signals.filter((each) => each.signal === signal);
      const known = own.filter(({ state }) => state === "known").map(({ source }) => source);
      if (known.length > 0) return `${name} (${known.join(", ")})`;
      const told = own.filter(({ state }) => state !== "absent");
      const why = told.map(({ source, state }) => `${source}: ${state}`).join(", ");
      return `${name} unknown${why === "" ? "" : ` (${why})`}`;
    })
    .join("; ");
}
