import { Problem, type ProblemCode, problemOf, PROBLEMS } from "#protocol/problem";
import type { TypedResponse } from "hono";
import type { AppContext } from "./app-env";

type StatusOf<Code extends ProblemCode> = (typeof PROBLEMS)[Code][0];

type Extras = {
  readonly detail?: string;
  readonly fields?: string[];
  readonly balance_microcredits?: number;
  readonly held_microcredits?: number;
  readonly models?: string[];
  readonly retryAfterSeconds?: number;
};

/** The one way to refuse: RFC 9457, with a code that the route has declared. */
export function problem<Code extends ProblemCode>(
  c: AppContext,
  code: Code,
  { retryAfterSeconds, ...extras }: Extras = {},
): Response & TypedResponse<Problem, StatusOf<Code>, "json"> {
  const [status] = PROBLEMS[code];
  const body: Problem = { ...problemOf(code, c.get("requestId")), ...extras };
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (retryAfterSeconds !== undefined) headers["retry-after"] = String(retryAfterSeconds);
  // Hono's json() would set its own content type; the shape is the same to TypeScript.
  return c.body(JSON.stringify(body), status, headers) as unknown as Response &
    TypedResponse<Problem, StatusOf<Code>, "json">;
}

/** What every call that carries a proof may be refused with. */
export const PROOF_PROBLEMS = [
  "proof_missing",
  "proof_invalid",
  "proof_replayed",
  "clock_skew",
] as const satisfies readonly ProblemCode[];

type ProblemResponse = {
  description: string;
  content: { "application/problem+json": { schema: typeof Problem } };
};

/** The OpenAPI responses of the refusals that a route can answer. */
export function problemResponses<Code extends ProblemCode>(
  ...codes: Code[]
): { [Status in StatusOf<Code>]: ProblemResponse } {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) {
    const [status] = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const responses = [...byStatus].map(([status, these]) => [
    status,
    {
      description: these.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}`).join(" "),
      content: { "application/problem+json": { schema: Problem } },
    },
  ]);
  return Object.fromEntries(responses) as { [Status in StatusOf<Code>]: ProblemResponse };
}
