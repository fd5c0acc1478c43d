import { DeviceRequest, USER_CODE_LETTERS } from "#protocol/device";
import { sha256Base64url } from "#protocol/encoding";
import { PeerId } from "#protocol/identity";
import type { Redis } from "@upstash/redis/cloudflare";
import { base64url } from "jose";
import { z } from "zod";
import { storeCall } from "./store-call";

/** Seconds that a code is good for, and that a peer waits between two questions. */
export const CODE_TTL_S = 600;
export const POLL_INTERVAL_S = 2;
/** Milliseconds: less than the interval, for what a network shortens. */
const POLL_APART_MS = 1_500;
const USER_CODE_LENGTH = 8;

const Pending = DeviceRequest.extend({
  peer_id: PeerId,
  public_key_x: z.string(),
  user_code: z.string(),
  requested_at_ms: z.int(),
  decision: z.discriminatedUnion("state", [
    z.object({ state: z.literal("pending") }),
    z.object({ state: z.literal("denied") }),
    z.object({ state: z.literal("approved"), user_id: z.string(), email: z.string() }),
  ]),
});
export type Pending = z.infer<typeof Pending>;
export type Decision = Exclude<Pending["decision"], { state: "pending" }>;

/** By the hash of the device code; the user code leads to it, until it was used. */
const keys = {
  request: (deviceHash: string) => `device:${deviceHash}`,
  userCode: (userCode: string) => `device-user:${userCode}`,
  asked: (deviceHash: string) => `device-asked:${deviceHash}`,
};

/** A request of a peer that nobody has decided on; what it is known by, to the peer and to the person. */
export async function beginDevice(
  redis: Redis,
  peer: Pick<Pending, "peer_id" | "public_key_x" | "name">,
  nowMs: number,
): Promise<{ deviceCode: string; userCode: string }> {
  const deviceCode = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
  const deviceHash = await sha256Base64url(deviceCode);
  const userCode = newUserCode();
  const pending: Pending = {
    ...peer,
    user_code: userCode,
    requested_at_ms: nowMs,
    decision: { state: "pending" },
  };
  const [isFree] = await storeCall("redis", () =>
    redis
      .pipeline()
      .set(keys.userCode(userCode), deviceHash, { nx: true, ex: CODE_TTL_S })
      .set(keys.request(deviceHash), JSON.stringify(pending), { ex: CODE_TTL_S })
      .exec<[string | null, string]>(),
  );
  return isFree === null ? beginDevice(redis, peer, nowMs) : { deviceCode, userCode };
}

/** The request that a person's code stands for, as long as nobody has decided on it. */
export async function findDevice(redis: Redis, userCode: string): Promise<Pending | undefined> {
  const hash = await storeCall("redis", () => redis.get<string>(keys.userCode(userCode)));
  return hash === null ? undefined : readRequest(redis, hash);
}

// In one step: a code that is used up has had its effect.
const DECIDE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2], 'XX', 'KEEPTTL')
return 1`;

/** Decides on a request; a code decides once, also for two at the same moment. */
export async function decideDevice(
  redis: Redis,
  userCode: string,
  decision: Decision,
): Promise<Pending | undefined> {
  const hash = await storeCall("redis", () => redis.get<string>(keys.userCode(userCode)));
  const pending = hash === null ? undefined : await readRequest(redis, hash);
  if (hash === null || pending === undefined) return undefined;
  const decided = JSON.stringify({ ...pending, decision });
  const isFirst = await storeCall("redis", () =>
    redis.eval<string[], number | string>(
      DECIDE,
      [keys.userCode(userCode), keys.request(hash)],
      [hash, decided],
    ),
  );
  return Number(isFirst) === 1 ? pending : undefined;
}

/** What became of a peer's request. */
export async function askDevice(
  redis: Redis,
  deviceCode: string,
): Promise<{ tooSoon: boolean; request: Pending | undefined }> {
  const hash = await sha256Base64url(deviceCode);
  const [mark, text] = await storeCall("redis", () =>
    redis
      .pipeline()
      .set(keys.asked(hash), "1", { nx: true, px: POLL_APART_MS })
      .get(keys.request(hash))
      .exec<[string | null, string | null]>(),
  );
  return { tooSoon: mark === null, request: parse(text) };
}

export async function forgetDevice(redis: Redis, deviceCode: string): Promise<void> {
  const hash = await sha256Base64url(deviceCode);
  await storeCall("redis", () => redis.del(keys.request(hash)));
}

async function readRequest(redis: Redis, hash: string): Promise<Pending | undefined> {
  return parse(await storeCall("redis", () => redis.get<string>(keys.request(hash))));
}

function parse(text: string | null): Pending | undefined {
  return text === null ? undefined : Pending.parse(JSON.parse(text));
}

/** 20^8 codes, each as likely as any other. */
function newUserCode(): string {
  let code = "";
  while (code.length < USER_CODE_LENGTH) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1));
    // 240 is a multiple of 20: what lies above would favour the first letters.
    if (byte < 240) code += USER_CODE_LETTERS[byte % USER_CODE_LETTERS.length];
  }
  return code;
}
