import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../app-env";
import { type Admission, admit, type Tier } from "../domain/rate-tiers";

/** The hits of one subject (a peer, user or IP) in one tier; the object's name is `tier:subject`. */
export class RateWindow extends DurableObject<Bindings> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Bindings) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#createTable();
  }

  async hit(tier: Tier): Promise<Admission> {
    const nowMs = Date.now();
    const admission = this.#hitNow(tier, nowMs);
    if ((await this.ctx.storage.getAlarm()) === null) {
      await this.ctx.storage.setAlarm(nowMs + tier.windowMs);
    }
    return admission;
  }

  /** Not async on purpose: nothing can be awaited between counting and adding. */
  #hitNow(tier: Tier, nowMs: number): Admission {
    const rows = this.#sql.exec<{ slot: number; hits: number }>("select slot, hits from hits");
    const decided = admit(rows.toArray(), tier, nowMs);
    if (decided.admitted) {
      this.#sql.exec("delete from hits where slot < ?", decided.oldestSlot);
      this.#sql.exec(
        `insert into hits values (?, 1, ?)
         on conflict (slot) do update set hits = hits + 1, expires_at_ms = excluded.expires_at_ms`,
        decided.slot,
        nowMs + tier.windowMs,
      );
    }
    return decided;
  }

  /** Alarms can repeat, so this only deletes what is already over. */
  override async alarm(): Promise<void> {
    this.#sql.exec("delete from hits where expires_at_ms <= ?", Date.now());
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

  #createTable(): void {
    this.#sql.exec(
      `create table if not exists hits
       (slot integer primary key, hits integer not null, expires_at_ms integer not null)`,
    );
  }
}
