import { counted } from "#protocol/counted";
import { z } from "zod";
import { NodeUrl } from "#protocol/heartbeat";
import type { Terminal } from "../cli/context";
import { CliError, EXIT } from "../cli/error";
import { duration, HostPort, HttpUrl, wholeNumber } from "../cli/flag-schemas";
import { explainListenErrors } from "../cli/listen-errors";
import { runService } from "../cli/run-service";
import { command } from "../command";
import { lendingSetup } from "../lending/setup";
import { tailscaleAddress } from "../platform/tailscale-address";
import type { WorkerReady } from "../worker/options";
import { chosenPolicy, LENDING_FLAGS } from "./lending-flags";

type Address = { readonly host: string; readonly port: number };

const DEFAULT_PORT = 8_080;
const DAY_S = 86_400;

export const worker = command({
  schema: "troop.worker/1",
  flags: {
    engine: {
      schema: z.array(HttpUrl).default([]),
      value: "URL",
      repeats: true,
      summary: "An inference engine to lend (default: those found on this machine)",
    },
    listen: {
      schema: HostPort.optional(),
      value: "HOST:PORT",
      summary: `Address to listen on (default: this machine's Tailscale address, port ${DEFAULT_PORT})`,
    },
    advertise: {
      schema: z
        .string()
        .refine((url) => NodeUrl.safeParse(url).success, "must be http://ADDRESS:PORT with no path")
        .optional(),
      value: "URL",
      summary: "Where clients reach it, if not at the address it listens on",
    },
    ...LENDING_FLAGS,
    "per-user": {
      schema: wholeNumber(1, 65_536).optional(),
      value: "N",
      summary: "Requests of one user to serve at once (default: as many as of all)",
    },
    queue: {
      schema: wholeNumber(0, 64).default(4),
      value: "N",
      summary: "Requests of one user that may wait while it is full (default 4)",
    },
    drain: {
      schema: duration(0, DAY_S).default(60),
      value: "TIME",
      summary: "How long what runs may go on when it is stopped (default 60s)",
    },
    "refresh-interval": {
      schema: wholeNumber(1, DAY_S).default(180),
      value: "SECONDS",
      env: "MODEL_REFRESH_INTERVAL",
      summary: "How often to look which models the engines have (default 180)",
    },
  },
  run: async (ctx): Promise<WorkerReady | undefined> => {
    const signal = ctx.stopSignal();
    const coordinatorUrl = await ctx.coordinatorUrl();
    const listen = ctx.flags.listen ?? listenOnTailscale(ctx);
    const home = await ctx.home();
    const { env, say } = ctx;
    const { engine: engines, advertise, queue } = ctx.flags;
    const file = await chosenPolicy(ctx);
    const lending = lendingSetup(file, { platform: ctx.platform, env, homeDir: home.dir });
    const { networks, concurrency } = lending.policy;
    const { "per-user": perUser, "refresh-interval": refreshIntervalS } = ctx.flags;
    const timing = { refreshIntervalS, lending };
    const limits = { concurrency, perUser, queue, drainMs: ctx.flags.drain * 1_000 };
    const { runWorker } = await import("../worker/run");
    const shared = { home, coordinatorUrl, networks, engines, listen, advertise, ...limits };
    const localUrl = ({ url }: WorkerReady) => (advertise === undefined ? url : httpUrl(listen));
    await runService(ctx, "worker", localUrl, (onReady) =>
      explainListenErrors(listen, { port: "--listen", host: "--listen" }, () =>
        runWorker({ ...shared, ...timing, env, say, signal, onReady }),
      ),
    );
    return undefined;
  },
  human: renderReady,
});

function listenOnTailscale(machine: Pick<Terminal, "platform" | "networkInterfaces">): Address {
  const host = tailscaleAddress(machine.networkInterfaces(), machine.platform);
  if (host !== undefined) return { host, port: DEFAULT_PORT };
  throw new CliError(
    EXIT.usage,
    "This machine has no Tailscale address on which clients could reach it.",
    "Install Tailscale and run `tailscale up`, or name an address yourself: --listen HOST:PORT",
  );
}

function httpUrl({ host, port }: Address): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function renderReady({ url, models, engines }: WorkerReady): string {
  const source = engines.length === 0 ? "no engine yet" : engines.join(", ");
  return `Lending ${counted(models, "model")} (${source}) at ${url}\n`;
}
