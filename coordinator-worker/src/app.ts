import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { timeout } from "hono/timeout";
import type { App, AppEnv } from "./app-env";
import { ConfigError } from "./config";
import { openDeps } from "./deps";
import { log } from "./log";
import { MAX_BODY_BYTES } from "#protocol/submit";
import { operatorsOnly } from "./middleware/operators-only";
import { protocolVersion } from "./middleware/protocol-version";
import { requestId } from "./middleware/request-id";
import { describeApi } from "./openapi";
import { problem } from "./problem";
import { accountPageGet } from "./routes/account-page-get";
import { adminNodesList } from "./routes/admin-nodes-list";
import { adminUsersList } from "./routes/admin-users-list";
import { auditList } from "./routes/audit-list";
import { authorize } from "./routes/authorize";
import { authorizeExtend } from "./routes/authorize-extend";
import { deviceCreate } from "./routes/device-create";
import { deviceDecide } from "./routes/device-decide";
import { deviceFind } from "./routes/device-find";
import { deviceTokenCreate } from "./routes/device-token-create";
import { grants } from "./routes/grants";
import { hardwareChallenge } from "./routes/hardware-challenge";
import { hardwareCommit } from "./routes/hardware-commit";
import { hardwareGet } from "./routes/hardware-get";
import { hardwareVerify } from "./routes/hardware-verify";
import { healthGet } from "./routes/health-get";
import { heartbeat } from "./routes/heartbeat";
import { invitesAccept } from "./routes/invites-accept";
import { invitesCreate } from "./routes/invites-create";
import { keysGet } from "./routes/keys-get";
import { keysRotate } from "./routes/keys-rotate";
import { ledgerCheckGet } from "./routes/ledger-check-get";
import { meGet } from "./routes/me-get";
import { modelsList } from "./routes/models-list";
import { invitesList } from "./routes/invites-list";
import { invitesRevoke } from "./routes/invites-revoke";
import { memberRemove } from "./routes/member-remove";
import { memberUpdate } from "./routes/member-update";
import { membersList } from "./routes/members-list";
import { networkUpdate } from "./routes/network-update";
import { networksCreate } from "./routes/networks-create";
import { networksList } from "./routes/networks-list";
import { nodeSuspend } from "./routes/node-suspend";
import { nodesList } from "./routes/nodes-list";
import { ownDataGet } from "./routes/own-data-get";
import { ownPeerRevoke } from "./routes/own-peer-revoke";
import { ownPeersList } from "./routes/own-peers-list";
import { personDelete } from "./routes/person-delete";
import { personRegister } from "./routes/person-register";
import { register } from "./routes/register";
import { sessionCreate } from "./routes/session-create";
import { sessionDelete } from "./routes/session-delete";
import { signupInviteCreate } from "./routes/signup-invite-create";
import { transactionsSubmit } from "./routes/transactions-submit";
import { userBalanceGet } from "./routes/user-balance-get";
import { userEarningsGet } from "./routes/user-earnings-get";
import { userTransactionsList } from "./routes/user-transactions-list";
import { StoreUnavailable } from "./store/store-call";

const DISCOVERY_MS = 5_000;
const WORK_MS = 30_000;
const DISCOVERY_PATHS = [
  "/peers",
  "/nodes",
  "/v1/*",
  "/users/*",
  "/register",
  "/heartbeat",
  "/networks/*",
  "/invites/*",
];

const utf8 = new TextDecoder();
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
    const body = await c.req.arrayBuffer();
    // Else Hono makes a Response of it to read the text of its JSON from.
    c.req.bodyCache.text = Promise.resolve(utf8.decode(body)) as never;
    await next();
  });
  for (const path of ["/authorize/*", "/transactions/*", "/auth/*", "/hardware/*"]) {
    app.use(path, timeout(WORK_MS, timedOut));
  }
  for (const path of DISCOVERY_PATHS) app.use(path, timeout(DISCOVERY_MS, timedOut));
  app.use(async (c, next) => {
    c.set("deps", await openDeps(c.env));
    await next();
  });

  app.use("/admin/*", operatorsOnly());

  healthGet(app);
  keysGet(app);
  register(app);
  heartbeat(app);
  nodesList(app);
  modelsList(app);
  authorize(app);
  authorizeExtend(app);
  transactionsSubmit(app);
  hardwareGet(app);
  hardwareChallenge(app);
  hardwareCommit(app);
  hardwareVerify(app);
  userBalanceGet(app);
  userTransactionsList(app);
  userEarningsGet(app);
  networksCreate(app);
  networksList(app);
  invitesCreate(app);
  invitesAccept(app);
  invitesList(app);
  invitesRevoke(app);
  membersList(app);
  memberRemove(app);
  memberUpdate(app);
  networkUpdate(app);
  ledgerCheckGet(app);
  auditList(app);
  adminUsersList(app);
  adminNodesList(app);
  nodeSuspend(app);
  grants(app);
  signupInviteCreate(app);
  keysRotate(app);
  personRegister(app);
  sessionCreate(app);
  sessionDelete(app);
  meGet(app);
  accountPageGet(app);
  deviceCreate(app);
  deviceTokenCreate(app);
  deviceFind(app);
  deviceDecide(app);
  ownDataGet(app);
  personDelete(app);
  ownPeersList(app);
  ownPeerRevoke(app);
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
