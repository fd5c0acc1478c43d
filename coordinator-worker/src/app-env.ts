import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Deps } from "./deps";
import type { RateWindow } from "./objects/rate-window";

export type Bindings = { readonly RATE_WINDOW: DurableObjectNamespace<RateWindow> };

export type AppEnv = {
  Bindings: Bindings;
  Variables: { requestId: string; deps: Deps };
};

export type App = OpenAPIHono<AppEnv>;
export type AppContext = Context<AppEnv>;
