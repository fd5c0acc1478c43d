import { runClient } from "#peer/client/run";
import { openHome } from "#peer/home/open-home";

/** A client in a process of its own, for tests that kill it: home and coordinator are its arguments. */
const [folder = "", coordinatorUrl = ""] = process.argv.slice(2);
await runClient({
  home: await openHome(folder),
  coordinatorUrl,
  host: "127.0.0.1",
  port: 0,
  env: {},
  say: () => {},
  signal: new AbortController().signal,
  onReady: ({ url }) => process.stdout.write(`${url}\n`),
});
