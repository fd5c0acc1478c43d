import { Miniflare } from "miniflare";
import { expect, it } from "vitest";
import { Problem } from "#protocol/problem";
import { coordinatorBundle } from "#self-host/bundle";
import { makeSigningKeys } from "#self-host/signing-keys";

it("has nothing under /admin where no password is set, not even for whoever shows one", async () => {
  const miniflare = new Miniflare({
    modules: true,
    script: await coordinatorBundle(),
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_compat"],
    cf: false,
    durableObjects: { RATE_WINDOW: { className: "RateWindow", useSQLite: true } },
    bindings: {
      SIGNING_KEYS: await makeSigningKeys(),
      DATABASE_URL: "postgres://user:word@127.0.0.1/none",
      UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
      UPSTASH_REDIS_REST_TOKEN: "none",
      PUBLIC_URL: "http://coordinator.test",
    },
  });
  try {
    for (const path of ["/admin", "/admin/audit", "/admin/ledger/check", "/admin/nothing"]) {
      const answers = await Promise.all(
        [{}, { authorization: `Basic ${btoa("admin:undefined")}` }].map((headers) =>
          miniflare.dispatchFetch(`http://coordinator.test${path}`, { headers }),
        ),
      );
      const nothing = await miniflare.dispatchFetch("http://coordinator.test/nothing");
      const { requestId: _, ...expected } = Problem.parse(await nothing.json());
      for (const answer of answers) {
        expect(answer.headers.get("www-authenticate")).toBeNull();
        expect(await answer.json()).toMatchObject(expected);
      }
    }
  } finally {
    await miniflare.dispose();
  }
});
