import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { expect, it } from "vitest";
import { openStores } from "#self-host/stores";

it("serves drizzle's neon-http and @upstash/redis inside workerd", async () => {
  const bundle = await Bun.build({
    entrypoints: [fileURLToPath(new URL("./store-worker.ts", import.meta.url))],
    target: "browser",
    conditions: ["workerd", "worker"],
  });
  const stores = await openStores();
  await stores.sql.query({
    text: "create table visits (id bigint primary key, who text, data jsonb, at timestamptz)",
    params: [],
  });
  const miniflare = new Miniflare({
    modules: true,
    script: (await bundle.outputs[0]?.text()) ?? "",
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_compat"],
    cf: false,
    bindings: {
      DATABASE_URL: stores.databaseUrl,
      DATABASE_FETCH_ENDPOINT: stores.databaseFetchEndpoint,
      REDIS_URL: stores.redisRestUrl,
      REDIS_TOKEN: stores.redisRestToken,
    },
  });
  try {
    const response = await miniflare.dispatchFetch("http://worker.test/");
    expect(await response.json()).toEqual({
      inserted: [
        {
          id: "9007199254740993",
          who: "ü",
          data: { tags: ["a", "b"] },
          at: "1970-01-01T00:00:00.000Z",
        },
      ],
      again: "23505",
      found: ["1970-01-01T00:00:00.000Z"],
      removed: 1,
      hash: { field: { nested: true } },
      claimed: "OK",
    });
  } finally {
    await miniflare.dispose();
    await stores.close();
  }
});
