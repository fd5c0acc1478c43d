// Bundled by rate-window.test.ts: the real object, with a clock that the test sets and an alarm that it can ring.
import { RateWindow as Real } from "#coordinator/objects/rate-window";
import type { Tier } from "#coordinator/domain/rate-tiers";

type Asked = {
  readonly name: string;
  readonly tier: Tier;
  readonly nowMs: number;
  readonly times: number;
  readonly alarm?: boolean;
};

export class RateWindow extends Real {
  async rows(): Promise<number> {
    return this.ctx.storage.sql.exec("select 1 from hits").toArray().length;
  }

  async written(): Promise<number> {
    const sum = "select coalesce(sum(hits), 0) as hits from hits";
    return this.ctx.storage.sql.exec<{ hits: number }>(sum).one().hits;
  }

  async alarmAtMs(): Promise<number | null> {
    return this.ctx.storage.getAlarm();
  }

  async ring(): Promise<void> {
    await this.alarm();
  }
}

type Env = { readonly RATE_WINDOW: DurableObjectNamespace<RateWindow> };

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { name, tier, nowMs, times, alarm } = await request.json<Asked>();
    Date.now = () => nowMs;
    const window = env.RATE_WINDOW.getByName(name);
    const admissions = await Promise.all(Array.from({ length: times }, () => window.hit(tier)));
    if (alarm === true) await window.ring();
    const [rows, written] = [await window.rows(), await window.written()];
    return Response.json({ admissions, rows, written, alarmAtMs: await window.alarmAtMs() });
  },
};
