// Asks a model with the openai SDK in a page of a real Chromium, which lets the page read only what CORS allows, and
// prints what it was told.
// usage: bun tests/clients/in-browser.ts FOLDER BASE_URL MODEL    FOLDER: where @sparticuz/chromium is installed
import { tmpdir } from "node:os";
import { join } from "node:path";

const [folder = "", baseUrl = "", model = ""] = process.argv.slice(2);
const UNPACK = 'import c from "@sparticuz/chromium"; console.log(await c.executablePath());';
const PAGE = '<!doctype html><script type="module" src="/page.js"></script>';

const [bundle] = (
  await Bun.build({ entrypoints: [join(import.meta.dirname, "page.ts")], target: "browser" })
).outputs;
const script = (await bundle?.text()) ?? "";
const told = Promise.withResolvers<string>();
const site = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  routes: {
    "/": () => new Response(PAGE, { headers: { "content-type": "text/html" } }),
    "/page.js": () => new Response(script, { headers: { "content-type": "text/javascript" } }),
    "/said": async (request) => {
      told.resolve(await request.text());
      return new Response();
    },
    "/failed": async (request) => {
      told.reject(new Error(await request.text()));
      return new Response();
    },
  },
});

const unpack = Bun.spawn([process.execPath, "-e", UNPACK], { cwd: folder, stdout: "pipe" });
const executable = (await new Response(unpack.stdout).text()).trim();
const page = new URL(site.url);
page.search = new URLSearchParams({ base: baseUrl, model }).toString();
// Not the flags of its package, which let pages read everything.
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"];
const browser = Bun.spawn(
  [executable, ...flags, `--user-data-dir=${join(tmpdir(), "profile")}`, page.href],
  { stdin: "ignore", stdout: "ignore", stderr: "ignore" },
);
try {
  const ended = browser.exited.then((code) => {
    throw new Error(`Chromium ended with ${code}.`);
  });
  console.log(await Promise.race([told.promise, ended]));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  browser.kill();
  await browser.exited;
  await site.stop(true);
}
