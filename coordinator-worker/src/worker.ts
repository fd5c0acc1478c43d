import { createApp } from "./app";
import type { Bindings } from "./app-env";
import { openDeps } from "./deps";
import { log } from "./log";
import { stripPrefix } from "./path-prefix";
import { releaseEnded } from "./store/ledger";

export { RateWindow } from "./objects/rate-window";

const app = createApp();

export default {
  async fetch(request, env, context) {
    return app.fetch(stripPrefix(request, env), env, context);
  },

  /** Gives back what ended leases have left. */
  async scheduled(_event, env) {
    const { db, nowMs } = await openDeps(env);
    const released = await releaseEnded(db, nowMs());
    log("leases_released", { released });
  },
} satisfies ExportedHandler<Bindings>;
