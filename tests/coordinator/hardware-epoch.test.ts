import { expect, it } from "vitest";
import { parseConfig } from "#coordinator/config";
import { hardwareEpoch, prepareCheck } from "#coordinator/hardware-epoch";
import { makeSigningKeys } from "#self-host/signing-keys";

async function configOf() {
  return parseConfig({
    DATABASE_URL: "postgres://localhost/none",
    UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
    UPSTASH_REDIS_REST_TOKEN: "none",
    SIGNING_KEYS: await makeSigningKeys(),
    PUBLIC_URL: "http://127.0.0.1:1",
  });
}

it("is the same for whoever has the key, in everything, and another for each epoch and key", async () => {
  const [config, other] = await Promise.all([configOf(), configOf()]);
  const { seed, roundAtMs, check } = await hardwareEpoch(config, 7);
  const again = await hardwareEpoch({ ...config }, 7);
  expect([again.seed, again.roundAtMs, again.check()]).toEqual([seed, roundAtMs, check()]);
  for (const differing of [await hardwareEpoch(config, 8), await hardwareEpoch(other, 7)]) {
    expect(differing.seed).not.toEqual(seed);
    expect(differing.check().x).not.toEqual(check().x);
  }
});

it("makes what openings are checked with once, ahead of them, and not before the answer has left", async () => {
  const { check } = await hardwareEpoch(await configOf(), 7);
  const made: unknown[] = [];
  const prepared = prepareCheck({
    check() {
      made.push(check());
      return check();
    },
  });
  expect(made).toEqual([]);
  await prepared;
  expect(made).toEqual([check()]);
  expect(made[0]).toBe(check());
});
