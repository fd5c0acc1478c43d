import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, it } from "vitest";
import { straightToStores } from "#self-host/straight-to-stores";

/** Asks, from its own scope and from an object's, for the URL it is sent. */
const BUNDLE = `
import { DurableObject } from "cloudflare:workers";
const ask = async (url) => {
  try { return await (await fetch(url)).text(); } catch { return "unreachable"; }
};
export class Asker extends DurableObject { ask(url) { return ask(url); } }
export default {
  async fetch(request, env) {
    const url = await request.text();
    return Response.json([await ask(url), await env.ASKER.getByName("a").ask(url)]);
  },
};`;

let miniflare: Miniflare;
beforeAll(async () => {
  miniflare = new Miniflare({
    ...straightToStores(BUNDLE),
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_compat"],
    cf: false,
    durableObjects: { ASKER: { className: "Asker", useSQLite: true } },
  });
  await miniflare.ready;
});
afterAll(() => miniflare.dispose());

async function asked(hostname: string): Promise<unknown> {
  const server = Bun.serve({
    hostname,
    port: 0,
    // Miniflare's own worker would name itself here.
    fetch: ({ headers }) => new Response(`reached, by ${headers.get("cf-worker") ?? "nobody"}`),
  });
  try {
    const body = `http://${hostname}:${server.port}/`;
    return await (await miniflare.dispatchFetch("http://x.test/", { method: "POST", body })).json();
  } finally {
    await server.stop(true);
  }
}

it("leads to a store on this machine with nobody in between, from objects, too", async () => {
  expect(await asked("127.0.0.1")).toEqual(["reached, by nobody", "reached, by nobody"]);
});

it("leads nowhere else", async () => {
  expect(await asked("127.0.0.2")).toEqual(["unreachable", "unreachable"]);
});
