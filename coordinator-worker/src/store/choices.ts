import { PassedOver } from "#protocol/statement";
import type { Redis } from "@upstash/redis/cloudflare";
import { z } from "zod";
import type { Verdict, verdicts } from "../domain/choose-candidates";
import { storeCall } from "./store-call";

/** Days that a count is kept. */
export const CHOICES_KEPT_DAYS = 40;
const DAY_MS = 24 * 60 * 60 * 1_000;
const TTL_S = CHOICES_KEPT_DAYS * 24 * 60 * 60;

/** One hash for each user and day; its fields are `node:verdict`. */
const choicesKey = (userId: string, day: string) => `choices:${userId}:${day}`;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export type Looked = ReturnType<typeof verdicts>[number] & { readonly times?: number };

/** Counts that this isolate has not written yet. */
const pending = new Map<string, Map<string, number>>();
let writtenAtMs = 0;
/** Writing at each authorization would cost more commands than the authorization itself. */
const WRITE_EVERY_MS = 2_000;

/**
 * Counts what became of nodes at one authorization, for their owners: in memory, and every two seconds in one round trip.
 * An isolate that ends in between forgets so much; these are figures to look at, nobody is paid by them.
 */
export async function countChoices(
  redis: Redis,
  looked: readonly Looked[],
  nowMs: number,
): Promise<void> {
  for (const { offer, verdict, times = 1 } of looked) {
    const key = choicesKey(offer.user_id, dayOf(nowMs));
    const counts = pending.get(key) ?? new Map<string, number>();
    const field = `${offer.node_id}:${verdict}`;
    pending.set(key, counts.set(field, (counts.get(field) ?? 0) + times));
  }
  if (nowMs - writtenAtMs >= WRITE_EVERY_MS) await writeChoices(redis, nowMs);
}

async function writeChoices(redis: Redis, nowMs: number): Promise<void> {
  if (pending.size === 0) return;
  writtenAtMs = nowMs;
  const pipeline = redis.pipeline();
  for (const [key, counts] of pending) {
    for (const [field, count] of counts) pipeline.hincrby(key, field, count);
    pipeline.expire(key, TTL_S);
  }
  pending.clear();
  await storeCall("redis", () => pipeline.exec());
}

export type Choices = ReadonlyMap<string, ReadonlyMap<Verdict, number>>;

const StoredVerdict = z.enum(["chosen", ...PassedOver.options]);

/** The counts of the last days, today among them, of each node of a user. One round trip, two where counts wait. */
export async function readChoices(
  redis: Redis,
  userId: string,
  days: number,
  nowMs: number,
): Promise<Choices> {
  await writeChoices(redis, nowMs);
  const pipeline = redis.pipeline();
  for (let ago = 0; ago < days; ago++) {
    pipeline.hgetall(choicesKey(userId, dayOf(nowMs - ago * DAY_MS)));
  }
  const perDay = await storeCall("redis", () => pipeline.exec<string[][]>());
  const choices = new Map<string, Map<Verdict, number>>();
  for (const flat of perDay) {
    for (let place = 0; place + 1 < flat.length; place += 2) {
      const [node = "", verdict] = (flat[place] ?? "").split(":");
      const known = StoredVerdict.safeParse(verdict);
      if (!known.success) continue;
      const counts = choices.get(node) ?? new Map<Verdict, number>();
      counts.set(known.data, (counts.get(known.data) ?? 0) + Number(flat[place + 1]));
      choices.set(node, counts);
    }
  }
  return choices;
}
