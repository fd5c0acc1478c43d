import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../app-env";
import { type Admission, admit, type Decision, type Tier } from "../domain/rate-tiers";

/** A hit waits so long for others to be written with it. An idle object leaves memory later than that. */
const WRITE_AFTER_MS = 5_000;

/**
 * The hits of one subject (a peer, user or IP) in one tier; the object's name is `tier:subject`. They are counted in
 * memory, so that a hit waits for no disk, and written to SQL a little later, so that an eviction forgets nothing; a crash
 * forgets the last seconds, but for tiers that fail closed.
 */
export class RateWindow extends DurableObject<Bindings> {
  readonly #sql: SqlStorage;
  readonly #hits = new Map<number, number>();
  /** Slots that SQL does not know as they are, and when they are over. */
  readonly #unwritten = new Map<number, number>();
  /** From when on a refusal is news again; an eviction makes it news at once. */
  #newsAtMs = 0;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#createTable();
    this.#load();
  }

  /** Not async on purpose: nothing can be awaited between counting and adding. */
  hit(tier: Tier): Admission {
    const nowMs = Date.now();
    const rows = [...this.#hits].map(([slot, hits]) => ({ slot, hits }));
    const decided = admit(rows, tier, nowMs);
    if (decided.admitted) this.#count(decided, nowMs + tier.windowMs);
    // What guards more than load is on disk before it is answered: a crash must not give the hits back.
    if (decided.admitted && tier.failsClosed === true) this.#write();
    const { admitted, remaining, resetSeconds } = decided;
    const isNews = !admitted && nowMs >= this.#newsAtMs;
    if (isNews) this.#newsAtMs = nowMs + tier.windowMs;
    return { admitted, remaining, resetSeconds, isNews };
  }

  #count({ slot, oldestSlot }: Decision, overAtMs: number): void {
    for (const old of this.#hits.keys()) {
      if (old < oldestSlot) this.#hits.delete(old);
    }
    this.#hits.set(slot, (this.#hits.get(slot) ?? 0) + 1);
    if (this.#unwritten.size === 0) this.ctx.waitUntil(this.#writeSoon());
    this.#unwritten.set(slot, overAtMs);
  }

  async #writeSoon(): Promise<void> {
    await scheduler.wait(WRITE_AFTER_MS);
    this.#write();
    const { first } = this.#sql
      .exec<{ first: number | null }>("select min(expires_at_ms) as first from hits")
      .one();
    if (first !== null && (await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(first);
    }
  }

  #write(): void {
    for (const [slot, overAtMs] of this.#unwritten) {
      const hits = this.#hits.get(slot);
      if (hits === undefined) continue; // It was over before it was written.
      this.#sql.exec("insert or replace into hits values (?, ?, ?)", slot, hits, overAtMs);
    }
    this.#unwritten.clear();
    const oldest = Math.min(...this.#hits.keys());
    this.#sql.exec("delete from hits where slot < ?", oldest);
  }

  /** Alarms can repeat, so this only deletes what is already over. */
  override async alarm(): Promise<void> {
    this.#write();
    this.#sql.exec("delete from hits where expires_at_ms <= ?", Date.now());
    this.#load();
    const { last } = this.#sql
      .exec<{ last: number | null }>("select max(expires_at_ms) as last from hits")
      .one();
    if (last !== null) {
      await this.ctx.storage.setAlarm(last);
      return;
    }
    await this.ctx.storage.deleteAll();
    this.#createTable();
  }

  #load(): void {
    this.#hits.clear();
    const rows = this.#sql.exec<{ slot: number; hits: number }>("select slot, hits from hits");
    for (const { slot, hits } of rows) this.#hits.set(slot, hits);
  }

  #createTable(): void {
    this.#sql.exec(
      `create table if not exists hits
       (slot integer primary key, hits integer not null, expires_at_ms integer not null)`,
    );
  }
}
