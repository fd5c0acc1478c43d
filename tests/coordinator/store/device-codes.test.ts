import type { Redis } from "@upstash/redis/cloudflare";
import { beforeAll, expect, it } from "vitest";
import { askDevice, beginDevice, decideDevice, findDevice } from "#coordinator/store/device-codes";
import { StoreUnavailable } from "#coordinator/store/store-call";
import { openTestStores, type TestStores } from "#support/stores";
import { newPeer } from "#support/test-peer";

let redis: TestStores["redis"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ redis } = stores);
  return stores.close;
});

/** The same Redis, which nobody reaches any more after so many calls. */
function goingAway(after: number): Redis {
  let calls = 0;
  return new Proxy(redis, {
    get(real, name) {
      const value: unknown = Reflect.get(real, name, real);
      if (typeof value !== "function") return value;
      return (...given: unknown[]): unknown => {
        calls += 1;
        if (calls > after) throw new TypeError("fetch failed");
        return Reflect.apply(value, real, given);
      };
    },
  });
}

async function begin() {
  const { identity } = await newPeer("http://127.0.0.1");
  const peer = { peer_id: identity.peerId, public_key_x: "x" };
  return beginDevice(redis, peer, Date.now());
}

const APPROVED = { state: "approved", user_id: "usr-1", email: "a@example.org" } as const;

it("uses a code up with its effect, or not at all, whenever Redis goes away", async () => {
  let isDecided = false;
  for (let calls = 0; !isDecided; calls += 1) {
    const { deviceCode, userCode } = await begin();
    try {
      expect(await decideDevice(goingAway(calls), userCode, APPROVED)).toBeDefined();
      isDecided = true;
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailable);
      // Nobody decided: the person tries again.
      expect(await findDevice(redis, userCode)).toBeDefined();
      expect(await decideDevice(redis, userCode, APPROVED)).toBeDefined();
    }
    expect((await askDevice(redis, deviceCode)).request?.decision).toEqual(APPROVED);
    expect(await decideDevice(redis, userCode, { state: "denied" })).toBeUndefined();
  }
});

it("lets one of two decide who come at the same moment", async () => {
  const { deviceCode, userCode } = await begin();
  const decided = await Promise.all([
    decideDevice(redis, userCode, APPROVED),
    decideDevice(redis, userCode, { ...APPROVED, user_id: "usr-2" }),
  ]);
  const winner = decided[0] === undefined ? "usr-2" : "usr-1";
  expect(decided.filter((one) => one !== undefined)).toHaveLength(1);
  const { request } = await askDevice(redis, deviceCode);
  expect(request?.decision).toEqual({ ...APPROVED, user_id: winner });
});
