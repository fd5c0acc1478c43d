import { createApp } from "./app";
import type { Bindings } from "./app-env";
import { auditLedger } from "./audit-ledger";
import { writeAudit } from "./audit";
import { AUDIT_CRON, DRAIN_CRON } from "./crons";
import { type Deps, openDeps } from "./deps";
import { eachOf } from "./each-of";
import { backgroundIsDone } from "./in-background";
import { log } from "./log";
import { markAgain } from "./mark-again";
import { stripPrefix } from "./path-prefix";
import { deleteEventsBefore } from "./store/audit-events";
import { sweepDue } from "./store/due";
import { learnRates, publishRates } from "./store/model-rates";

export { RateWindow } from "./objects/rate-window";

const app = createApp();

export default {
  async fetch(request, env, context) {
    return app.fetch(stripPrefix(request, env), env, context);
  },

  async scheduled({ cron }, env) {
    const deps = await openDeps(env);
    if (cron === DRAIN_CRON) await drain(deps);
    else if (cron === AUDIT_CRON) await nightly(deps);
    else await sweep(deps);
  },
} satisfies ExportedHandler<Bindings>;

const DAY_MS = 24 * 60 * 60 * 1_000;

async function nightly(deps: Deps): Promise<void> {
  const { config, db, nowMs } = deps;
  await eachOf([
    () => auditLedger(deps),
    async () => {
      const events = await deleteEventsBefore(db, nowMs() - config.auditRetentionDays * DAY_MS);
      log("audit_events_deleted", { events });
    },
  ]);
}

async function drain({ db }: Deps): Promise<void> {
  await backgroundIsDone();
  await writeAudit(db);
}

async function sweep(deps: Deps): Promise<void> {
  const { db, redis, nowMs } = deps;
  await eachOf([
    () => writeAudit(db),
    async () => log("swept", await sweepDue(db, nowMs())),
    async () => {
      const models = await learnRates(db);
      await publishRates(db, redis);
      log("rates_learned", { models });
    },
    () => markAgain(deps),
  ]);
}
