import { expect, it, onTestFinished } from "vitest";
import { CliError } from "#peer/cli/error";
import { explainListenErrors } from "#peer/cli/listen-errors";

const FLAGS = { host: "--host", port: "--port" };

function listen(hostname: string, port: number): number {
  const server = Bun.serve({ hostname, port, fetch: () => new Response() });
  onTestFinished(() => server.stop(true));
  return server.port ?? 0;
}

async function refusalOf(host: string, port: number): Promise<unknown> {
  const serving = explainListenErrors({ host, port }, FLAGS, async () => void listen(host, port));
  const error: unknown = await serving.catch((cause: unknown) => cause);
  return error instanceof CliError ? [error.message, error.hint] : error;
}

it("names the flag for another port where somebody listens on this one", async () => {
  const port = listen("127.0.0.1", 0);
  expect(await refusalOf("127.0.0.1", port)).toEqual([
    `Port ${port} on 127.0.0.1 is in use.`,
    "Stop what listens there, or choose another port with --port.",
  ]);
});

it("names the flag for another address where this one is not this machine's", async () => {
  expect(await refusalOf("192.0.2.1", 0)).toEqual([
    "192.0.2.1 is no address of this machine.",
    "Choose one that is with --host.",
  ]);
});

it("names the flag for another address where this one is none", async () => {
  expect(await refusalOf("no address", 0)).toEqual([
    "Nothing can listen on no address.",
    "Choose an address of this machine with --host.",
  ]);
});

it("says nothing about what went wrong otherwise", async () => {
  const fault = new Error("a bug");
  const serve = () => Promise.reject(fault);
  await expect(explainListenErrors({ host: "h", port: 1 }, FLAGS, serve)).rejects.toBe(fault);
});
