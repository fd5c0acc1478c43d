import { counted } from "#protocol/counted";
import { connect } from "node:net";
import type { HardwareStanding } from "#protocol/hardware";
import { formatCredits } from "#protocol/microcredits";
import type { Registration } from "#protocol/register";
import { columns } from "../cli/columns";
import { CliError } from "../cli/error";
import { command } from "../command";
import type { WorkerStatus } from "../control/messages";
import type { CommandContext } from "../cli/context";
import { CoordinatorProblem, CoordinatorUnreachable } from "../coordinator/errors";
import { printable } from "../coordinator/printable";
import { readRegistration } from "../home/registration-file";
import { readServiceFiles, type ServiceFile } from "../home/service-file";
import type { OutboxOwner } from "../outbox/outbox-file";
import { type OutboxSummary, readOutbox } from "../outbox/outbox-summary";
import { VERSION } from "../version";
import { askOwnWorker, lendingRows } from "./lending-state";

const CONNECT_LIMIT_MS = 1_000;
/** Who listens everywhere is reached at the loopback address. */
const WILDCARDS: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

type CoordinatorStatus =
  | { readonly state: "not_configured" }
  | { readonly state: "reachable"; readonly url: string; readonly latency_ms: number }
  | { readonly state: "refuses" | "unreachable"; readonly url: string; readonly reason: string };

type Status = {
  readonly version: string;
  readonly home: string;
  readonly peer_id: string;
  /** Absent before the first registration. */
  readonly user_id?: string;
  readonly coordinator: CoordinatorStatus;
  /** What a second on this machine is worth; absent where it is not registered or the coordinator does not say. */
  readonly hardware?: HardwareStanding;
  /** Clients and workers of this home whose process lives and whose port takes connections. */
  readonly running: readonly ServiceFile[];
  /** What the worker does now; absent where none runs, or it does not answer. */
  readonly worker?: WorkerStatus;
  /** By this machine, today by UTC; absent where no worker runs or the coordinator does not tell. */
  readonly earned_today?: { readonly credits: string; readonly requests: number };
  /** The worker's, on their way to the coordinator; absent where no worker ever ran. */
  readonly receipts?: OutboxStatus;
  /** The client's, likewise. */
  readonly acks?: OutboxStatus;
};

type OutboxStatus = OutboxSummary | "unreadable";

export const status = command({
  schema: "troop.status/1",
  flags: {},
  run: async (ctx): Promise<Status> => {
    const home = await ctx.home();
    const url = await ctx.configuredCoordinator();
    const registration = url === undefined ? undefined : await readRegistration(home, url);
    const coordinator: CoordinatorStatus =
      url === undefined ? { state: "not_configured" } : await probe(ctx, url);
    const lending = await lendingOf(ctx);
    const isEarning = lending.worker !== undefined && coordinator.state === "reachable";
    const isKnown = registration !== undefined && coordinator.state === "reachable";
    return {
      version: VERSION,
      home: home.dir,
      peer_id: home.identity.peerId,
      ...(registration !== undefined && { user_id: registration.user_id }),
      coordinator,
      ...(isKnown && (await hardwareOf(ctx))),
      running: await listening(home.dir),
      ...lending,
      ...(isEarning && registration !== undefined && (await earnedToday(ctx, registration))),
      ...outboxOf(home.dir, "worker", "receipts"),
      ...outboxOf(home.dir, "client", "acks"),
    };
  },
  human: renderStatus,
});

/** Nothing where it cannot be asked: the rest of the status is worth showing. */
async function lendingOf(
  ctx: CommandContext<unknown, Status>,
): Promise<{ readonly worker?: WorkerStatus }> {
  try {
    const worker = await askOwnWorker(ctx, { ask: "status" });
    return worker === undefined ? {} : { worker };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    ctx.say(error.message);
    return {};
  }
}

async function earnedToday(
  ctx: CommandContext<unknown, Status>,
  { user_id: userId, peer_id: nodeId }: Registration,
): Promise<Pick<Status, "earned_today">> {
  const { api } = await ctx.coordinator();
  try {
    const { by_node: nodes } = await api.earnings(userId, { days: 1 });
    const own = nodes.find(({ node_id }) => node_id === nodeId);
    return {
      earned_today: { credits: own?.credits ?? formatCredits(0), requests: own?.requests ?? 0 },
    };
  } catch (error) {
    // The rest of the status is worth showing.
    if (error instanceof CoordinatorUnreachable || error instanceof CoordinatorProblem) return {};
    throw error;
  }
}

async function probe(
  ctx: CommandContext<unknown, Status>,
  url: string,
): Promise<CoordinatorStatus> {
  const { api } = await ctx.coordinator();
  const startedAt = performance.now();
  try {
    await api.health();
    return { state: "reachable", url, latency_ms: Math.round(performance.now() - startedAt) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    if (error instanceof CoordinatorUnreachable) return { state: "unreachable", url, reason };
    if (error instanceof CoordinatorProblem) return { state: "refuses", url, reason };
    throw error;
  }
}

async function hardwareOf(
  ctx: CommandContext<unknown, Status>,
): Promise<{ readonly hardware?: HardwareStanding }> {
  const { api } = await ctx.coordinator();
  try {
    return { hardware: await api.hardware() };
  } catch (error) {
    const isTold = error instanceof CoordinatorProblem || error instanceof CoordinatorUnreachable;
    if (!isTold) throw error;
    return {}; // An older coordinator, or one that has just gone: the rest of the status is worth showing.
  }
}

function outboxOf(
  dir: string,
  owner: OutboxOwner,
  name: "receipts" | "acks",
): { readonly [Name in "receipts" | "acks"]?: OutboxStatus } {
  const found = readOutbox(dir, owner);
  return found === "absent" ? {} : { [name]: found };
}

async function listening(dir: string): Promise<readonly ServiceFile[]> {
  const left = await readServiceFiles(dir);
  const isUp = await Promise.all(left.map((service) => takesConnections(service)));
  return left.filter((service, place) => isUp[place] === true && isAlive(service.pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // No such process, or another user's: the number was given out again.
  }
}

function takesConnections(service: ServiceFile): Promise<boolean> {
  const { hostname, port } = new URL(service.url);
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  const host = WILDCARDS[bare] ?? bare;
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port === "" ? 80 : port) });
    const settle = (isUp: boolean) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(CONNECT_LIMIT_MS, () => settle(false));
    socket.once("connect", () => settle(true));
    socket.once("error", () => settle(false));
  });
}

function renderStatus(data: Status): string {
  return columns([
    ["version", data.version],
    ["home", data.home],
    ["peer", data.peer_id],
    ["user", data.user_id ?? "not registered yet"],
    ["coordinator", coordinatorLine(data.coordinator)],
    ...(data.hardware === undefined ? [] : [["hardware", hardwareLine(data.hardware)]]),
    ["client", serviceLine(data.running, "client")],
    ["worker", serviceLine(data.running, "worker")],
    ...(data.worker === undefined ? [] : lendingRows(data.worker)),
    ...(data.earned_today === undefined ? [] : [["earned", earnedLine(data.earned_today)]]),
    ...(data.receipts === undefined ? [] : [["receipts", outboxLine(data.receipts)]]),
    ...(data.acks === undefined ? [] : [["acks", outboxLine(data.acks)]]),
  ]);
}

function coordinatorLine(coordinator: CoordinatorStatus): string {
  if (coordinator.state === "not_configured") return "none known; add --coordinator URL";
  if (coordinator.state !== "reachable") return coordinator.reason;
  return `${coordinator.url} answers in ${coordinator.latency_ms} ms`;
}

function earnedLine({ credits, requests }: NonNullable<Status["earned_today"]>): string {
  return `${counted(credits, "credit")} today (UTC), for ${counted(requests, "request")}`;
}

function hardwareLine({ basis, multiplier, until }: HardwareStanding): string {
  const end = until === undefined ? "" : ` until ${until}`;
  const earns = `${counted(multiplier, "credit")} a second as a worker`;
  if (basis === "proof") return `${earns}, proven${end}`;
  if (basis === "cooldown") return `${earns}${end}: a proof of it failed`;
  return `${earns}, not proven; troop benchmark proves it`;
}

function serviceLine(running: readonly ServiceFile[], kind: ServiceFile["kind"]): string {
  const urls = running.filter((service) => service.kind === kind).map((service) => service.url);
  return urls.length === 0 ? "not running with this home" : `listening at ${urls.join(", ")}`;
}

function outboxLine(outbox: OutboxStatus): string {
  if (outbox === "unreadable") return "their file cannot be read";
  const { waiting, unfinished, refused } = outbox;
  const parts = [waiting === 0 ? "all sent" : `${waiting} not sent yet`];
  if (unfinished > 0) parts.push(`${unfinished} for requests that have not ended`);
  const count = refused.reduce((sum, each) => sum + each.count, 0);
  if (count > 0) {
    const reasons = refused.map((each) => `${each.code} ${each.count}`).join(", ");
    parts.push(`${count} refused in 30 days (${printable(reasons)})`);
  }
  return parts.join("; ");
}
