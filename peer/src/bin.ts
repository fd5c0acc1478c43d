#!/usr/bin/env bun
import { networkInterfaces } from "node:os";
import type { Terminal } from "./cli/context";
import { COMMANDS } from "./commands/table";
import { keepOffProxy } from "./engines/keep-off-proxy";
import { GPU_CHILD } from "./hardware/gpu/messages";
import { main } from "./main";
import { platformNamed } from "./platform/platform";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What a shell reports for a process that a signal ended. */
const SIGNAL_EXIT = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

process.stdout.on("error", leaveWithoutReader);
process.stderr.on("error", leaveWithoutReader);

// A coordinator or an engine on this machine can't be reached by way of another one.
keepOffProxy(process.env, []);

const terminal: Terminal = {
  env: process.env,
  platform: platformNamed(process.platform),
  networkInterfaces,
  writeOut: (text) =>
    new Promise((resolve) => {
      process.stdout.write(text, () => resolve());
    }),
  writeErr: (text) => void process.stderr.write(text),
  stopSignal,
};

if (process.argv[2] === GPU_CHILD) {
  const { runGpuChild } = await import("./hardware/gpu/gpu-child");
  await runGpuChild();
  process.exit(0);
}
process.exit(await main(process.argv.slice(2), COMMANDS, terminal));

/** The first signal asks for an orderly stop, the second does not wait for it. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of STOP_SIGNALS) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(SIGNAL_EXIT[name]);
      controller.abort();
    });
  }
  return controller.signal;
}

/** Nobody reads any more (`troop nodes | head`), which is no failure. */
function leaveWithoutReader(error: NodeJS.ErrnoException): void {
  process.exit(error.code === "EPIPE" ? 0 : 1);
}
