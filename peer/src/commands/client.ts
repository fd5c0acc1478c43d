import { z } from "zod";
import { PeerId } from "#protocol/identity";
import { Alias, HttpUrl, Origin, Port, duration } from "../cli/flag-schemas";
import { explainListenErrors } from "../cli/listen-errors";
import { runService } from "../cli/run-service";
import type { ClientReady } from "../client/options";
import { command } from "../command";
import { tailscaleAddress } from "../platform/tailscale-address";

export const client = command({
  schema: "troop.client/1",
  flags: {
    port: {
      schema: Port.default(9_000),
      value: "PORT",
      summary: "Port to listen on (default 9000; 0 takes a free one)",
    },
    host: {
      schema: z.string().min(1, "must not be empty").default("127.0.0.1"),
      value: "HOST",
      summary: "Address to listen on (default 127.0.0.1)",
    },
    "api-key": {
      schema: z
        .string()
        .regex(/^[\x21-\x7e]{1,256}$/, "must be 1 to 256 characters without spaces")
        .optional(),
      value: "KEY",
      summary:
        "Key that apps have to show; better by TROOP_API_KEY, since others see a command's flags",
      env: "TROOP_API_KEY",
    },
    origin: {
      schema: z.array(Origin).default([]),
      value: "ORIGIN",
      repeats: true,
      summary: "Let pages of this origin use it from a browser, besides those of this machine",
    },
    engine: {
      schema: z.array(HttpUrl).default([]),
      value: "URL",
      repeats: true,
      summary: "An engine of your own, used before any node (default: those found on this machine)",
    },
    "no-local": {
      schema: z.boolean(),
      summary: "Leave this machine's own engines alone",
    },
    alias: {
      schema: z.array(Alias).default([]),
      value: "NAME=MODEL",
      repeats: true,
      summary: "Another name for a model, for apps that insist on one",
    },
    prefer: {
      schema: z.array(PeerId).max(8, "may be given 8 times").default([]),
      value: "NODE",
      repeats: true,
      summary: "A node to use before others; `troop nodes --json` shows their ids",
    },
    only: {
      schema: z.array(PeerId).max(3, "may be given 3 times").default([]),
      value: "NODE",
      repeats: true,
      summary: "Use this node and no other, nor this machine's engines",
    },
    network: {
      schema: z.string().min(1, "must name a network").optional(),
      value: "NETWORK",
      summary: "Use this network (default: public; NETWORK/MODEL picks one for a request)",
    },
    wait: {
      schema: duration(0, 30).default(30),
      value: "TIME",
      summary:
        "How long a request waits where all nodes are busy or restarting (default 30s; 0s: not at all)",
    },
    drain: {
      schema: duration(0, 86_400).default(10),
      value: "TIME",
      summary: "How long what runs may go on when it is stopped (default 10s)",
    },
  },
  run: async (ctx): Promise<ClientReady | undefined> => {
    const signal = ctx.stopSignal();
    const coordinatorUrl = await ctx.coordinatorUrl();
    const home = await ctx.home();
    const { env, say } = ctx;
    const { host, port, network, engine, "api-key": apiKey, "no-local": isNetworkOnly } = ctx.flags;
    const { alias, prefer, origin: origins } = ctx.flags;
    const aliases = new Map(alias);
    const only = ctx.flags.only.length === 0 ? undefined : ctx.flags.only;
    const engines = isNetworkOnly || only !== undefined ? undefined : engine;
    const { runClient } = await import("../client/run");
    const listen = (ready: (data: ClientReady) => void) =>
      explainListenErrors({ host, port }, { port: "--port", host: "--host" }, () => {
        // What an app has to be given is the base of the API, not the server's origin.
        const onReady = ({ url }: ClientReady) => ready({ url: `${url}/v1` });
        const overlayAddress = () => tailscaleAddress(ctx.networkInterfaces(), ctx.platform);
        const shared = {
          home,
          coordinatorUrl,
          network,
          engines,
          aliases,
          prefer,
          only,
          overlayAddress,
          host,
          port,
          apiKey,
          origins,
          patienceMs: ctx.flags.wait * 1_000,
          drainMs: ctx.flags.drain * 1_000,
        };
        return runClient({ ...shared, env, say, signal, onReady });
      });
    await runService(ctx, "client", ({ url }) => url, listen);
    return undefined;
  },
  human: ({ url }) => `OpenAI's API is at ${url}\n`,
});
