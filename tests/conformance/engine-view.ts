import { stat } from "node:fs/promises";
import { expect, vi } from "vitest";
import { z } from "zod";
import type { Bench } from "./engines";
import { TappedRequest } from "./engine-tap";

/** What llama-server writes about tasks as they go. */
const STARTED = /launch_slot_: .*\| task (\d+) \| processing task/g;
const ENDED = /release: .*\| task (\d+) \| stop processing/g;
export const CANCELLED = /cancel task/;

/**
 * Numbers of the tasks that begin in a part of the log, and of those among them that have ended: the end of an earlier one
 * may be written when `/slots` has told of it already.
 */
export function tasksIn(log: string): { readonly started: string[]; readonly ended: string[] } {
  const started = Array.from(log.matchAll(STARTED), ([, id = ""]) => id);
  const over = new Set(Array.from(log.matchAll(ENDED), ([, id = ""]) => id));
  return { started, ended: started.filter((id) => over.has(id)) };
}

const Slots = z.array(z.object({ is_processing: z.boolean() }));

/** The posts that reached the engine through the network since `forgetRequests`. */
export async function postsAtEngine(bench: Bench): Promise<TappedRequest[]> {
  const answer = await fetch(`${bench.tapControlUrl}/requests`);
  const requests = z.array(TappedRequest).parse(await answer.json());
  return requests.filter(({ method }) => method === "POST");
}

export async function forgetRequests(bench: Bench): Promise<void> {
  await fetch(`${bench.tapControlUrl}/forget`);
}

/** Breaks every connection between network and engine, as the engine's death would. */
export async function cutConnections(bench: Bench): Promise<void> {
  await fetch(`${bench.tapControlUrl}/cut`);
}

/**
 * Reads what the engine logs from now on. The log and not `/slots` tells when a task is cancelled:
 * llama-server looks for clients that left only after a second in which no task of any kind gave a
 * result, and a question to `/slots` is such a task, so asking often would keep it from looking.
 */
export async function engineLogFromNow(bench: Bench): Promise<() => Promise<string>> {
  const { size } = await stat(bench.logPath);
  return () => Bun.file(bench.logPath).slice(size).text();
}

/** Waits until no task runs, asking seldom enough not to keep the engine from noticing who left. */
export async function untilEngineIdle(bench: Bench): Promise<void> {
  await vi.waitFor(async () => expect(await isEngineIdle(bench)).toBe(true), {
    timeout: 60_000,
    interval: 1_500,
  });
}

export async function isEngineIdle(bench: Bench): Promise<boolean> {
  const answer = await fetch(`${bench.url}/slots`);
  return Slots.parse(await answer.json()).every((slot) => !slot.is_processing);
}
