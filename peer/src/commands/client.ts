import { z } from "zod";
import { Port } from "../cli/flag-schemas";
import { explainListenErrors } from "../cli/listen-errors";
import { runService } from "../cli/run-service";
import type { ClientReady } from "../client/options";
import { command } from "../command";

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
  },
  run: async (ctx): Promise<ClientReady | undefined> => {
    const signal = ctx.stopSignal();
    const coordinatorUrl = await ctx.coordinatorUrl();
    const home = await ctx.home();
    const { env, say } = ctx;
    const { host, port } = ctx.flags;
    const { runClient } = await import("../client/run");
    const listen = (ready: (data: ClientReady) => void) =>
      explainListenErrors({ host, port }, { port: "--port", host: "--host" }, () => {
        // What an app has to be given is the base of the API, not the server's origin.
        const onReady = ({ url }: ClientReady) => ready({ url: `${url}/v1` });
        return runClient({ home, coordinatorUrl, host, port, env, say, signal, onReady });
      });
    await runService(ctx, "client", ({ url }) => url, listen);
    return undefined;
  },
  human: ({ url }) => `OpenAI's API is at ${url}\n`,
});
