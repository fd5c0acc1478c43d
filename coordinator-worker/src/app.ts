import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { timeout } from "hono/timeout";
import type { App, AppEnv } from "./app-env";
import { ConfigError } from "./config";
import { openDeps } from "./deps";
import { log } from "./log";
import { MAX_BODY_BYTES } from "#protocol/submit";
import { protocolVersion } from "./middleware/protocol-version";
import { requestId } from "./middleware/request-id";
import { describeApi } from "./openapi";
import { problem } from "./problem";
import { authorize } from "./routes/authorize";
import { authorizeExtend } from "./routes/authorize-extend";
import { healthGet } from "./routes/health-get";
import { heartbeat } from "./routes/heartbeat";
import { keysGet } from "./routes/keys-get";
import { modelsList } from "./routes/models-list";
import { nodesList } from "./routes/nodes-list";
import { register } from "./routes/register";
import { transactionsSubmit } from "./routes/transactions-submit";
import { userBalanceGet } from "./routes/user-balance-get";
import { userTransactionsList } from "./routes/user-transactions-list";
import { StoreUnavailable } from "./store/store-call";

const DISCOVERY_MS = 5_000;
const WORK_MS = 30_000;

const timedOut = () => new HTTPException(504, { message: "time limit" });

export function createApp(): App {
  const app: App = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const fields = [...new Set(result.error.issues.map((issue) => issue.path.join(".")))];
      return problem(c, "request_invalid", { fields: fields.slice(0, 20) });
    },
  });

  app.use(requestId());
  app.use(protocolVersion());
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => problem(c, "body_too_large") }));
  app.use(async (c, next) => {
    // Whatever becomes of the request: an answer in front of an unread body ends the connection under it.
    await c.req.arrayBuffer();
    await next();
  });
  for (const path of ["/authorize/*", "/transactions/*"]) {
    app.use(path, timeout(WORK_MS, timedOut));
  }
  for (const path of ["/peers", "/nodes", "/v1/*", "/users/*", "/register", "/heartbeat"]) {
    app.use(path, timeout(DISCOVERY_MS, timedOut));
  }
  app.use(async (c, next) => {
    c.set("deps", await openDeps(c.env));
    await next();
  });

  healthGet(app);
  keysGet(app);
  register(app);
  heartbeat(app);
  nodesList(app);
  modelsList(app);
  authorize(app);
  authorizeExtend(app);
  transactionsSubmit(app);
  userBalanceGet(app);
  userTransactionsList(app);
  describeApi(app);

  app.notFound((c) => problem(c, "not_found", { detail: "GET /openapi.json lists the paths." }));
  app.onError((error, c) => {
    if (error instanceof HTTPException) {
      if (error.status === 504) return problem(c, "timeout", { detail: "Try again." });
      if (error.status === 415) {
        return problem(c, "media_type_unsupported", { detail: "Send application/json." });
      }
      // Hono throws 400 for a body that is not JSON.
      if (error.status === 400) return problem(c, "request_invalid", { fields: [""] });
    }
    const requestId = c.get("requestId");
    if (error instanceof StoreUnavailable) {
      log("store_unavailable", { requestId, store: error.store });
      return problem(c, "store_unavailable", { retryAfterSeconds: 2, detail: "Try again." });
    }
    log("internal_error", { requestId, error: error.name, cause: nameOf(error.cause) });
    const detail = error instanceof ConfigError ? error.message : undefined;
    return problem(c, "internal", detail === undefined ? {} : { detail });
  });
  return app;
}

function nameOf(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.name : undefined;
}
