import { openHome } from "#peer/home/open-home";
import { runWorker } from "#peer/worker/run";
import { alwaysLending } from "./always-lending";

/** A worker in a process of its own, for tests that kill it: home, coordinator and engine are its arguments. */
const [folder = "", coordinatorUrl = "", engineUrl = ""] = process.argv.slice(2);
const home = await openHome(folder);
await runWorker({
  home,
  coordinatorUrl,
  engines: [engineUrl],
  listen: { host: "127.0.0.1", port: 0 },
  advertise: undefined,
  concurrency: undefined,
  refreshIntervalS: 180,
  lending: alwaysLending(home),
  env: {},
  say: (line) => process.stderr.write(`${line}\n`),
  signal: new AbortController().signal,
  onReady: ({ url }) => {
    process.stdout.write(`${JSON.stringify({ url, nodeId: home.identity.peerId })}\n`);
  },
});
