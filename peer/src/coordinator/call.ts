import type { z } from "zod";
import type { Identity } from "#protocol/identity";
import { Problem } from "#protocol/problem";
import { hashBody, PROOF_HEADER, signProof } from "#protocol/proof";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "#protocol/version";
import { VERSION } from "../version";
import { CoordinatorProblem, CoordinatorUnreachable } from "./errors";
import { readLimited } from "./limited-body";
import { type CallLimits, IDEMPOTENT_TRIES } from "./limits";
import { networkFailure } from "./network-failure";
import { problemMessage } from "./problem-message";

export const USER_AGENT = `troop/${VERSION} (${process.platform}; ${process.arch}) protocol/${PROTOCOL_VERSION}`;

export type CallContext = {
  /** As `coordinatorBaseUrl` spells it. */
  readonly baseUrl: string;
  readonly identity: Identity;
  readonly fetch: (input: string, init: RequestInit) => Promise<Response>;
  readonly nowMs: () => number;
  readonly limits: CallLimits;
};

export type Call<Answer extends z.ZodType> = {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Path and query below the base URL. */
  readonly target: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: Answer;
  readonly limitMs: number;
  /** May be sent again without harm. */
  readonly isIdempotent: boolean;
};

/**
 * Calls the coordinator, again where that does no harm and may help.
 * Throws `CoordinatorProblem` or `CoordinatorUnreachable`.
 */
export async function call<Answer extends z.ZodType>(
  context: CallContext,
  request: Call<Answer>,
): Promise<z.infer<Answer>> {
  const deadline = AbortSignal.timeout(request.limitMs);
  const tries = request.isIdempotent ? IDEMPOTENT_TRIES : 1;
  let delayMs = context.limits.retryDelayMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await callOnce(context, request, deadline);
    } catch (error) {
      if (attempt === tries || deadline.aborted || !mayPass(error)) throw error;
      // Jitter keeps peers that lost the coordinator together from coming back together.
      await Bun.sleep(delayMs * (0.3 + 0.7 * Math.random()));
      if (deadline.aborted) throw error;
      delayMs *= 3;
    }
  }
}

/** A refusal that says when to come back is left to the caller. */
function mayPass(error: unknown): boolean {
  if (error instanceof CoordinatorUnreachable) return true;
  return (
    error instanceof CoordinatorProblem &&
    error.problem.status >= 500 &&
    error.retryAfterMs === undefined
  );
}

async function callOnce<Answer extends z.ZodType>(
  context: CallContext,
  request: Call<Answer>,
  signal: AbortSignal,
): Promise<z.infer<Answer>> {
  const init = await signedRequest(context, request, signal);
  const { response, text } = await exchange(context, request.target, init);
  if (!response.ok) throw refusal(context, response, text);
  const answer = request.answer.safeParse(parseJson(text));
  if (answer.success) return answer.data;
  const field = answer.error.issues[0]?.path.join(".") ?? "";
  const where = field === "" ? "" : ` (field ${field})`;
  throw unreachable(context, `it answered in a form that this version does not know${where}`);
}

async function signedRequest(
  context: CallContext,
  request: Call<z.ZodType>,
  signal: AbortSignal,
): Promise<RequestInit> {
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const proof = await signProof(
    context.identity,
    {
      audience: context.baseUrl,
      method: request.method,
      target: request.target,
      bodyHash: await hashBody(body),
    },
    crypto.randomUUID(),
    context.nowMs(),
  );
  return {
    method: request.method,
    headers: {
      ...request.headers,
      accept: "application/json",
      "user-agent": USER_AGENT,
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
      [PROOF_HEADER]: proof,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    redirect: "manual",
    signal,
    ...(body !== undefined && { body }),
  };
}

async function exchange(
  context: CallContext,
  target: string,
  init: RequestInit,
): Promise<{ response: Response; text: string | undefined }> {
  try {
    const response = await context.fetch(context.baseUrl + target, init);
    return { response, text: await readLimited(response, context.limits.answerBytes) };
  } catch (cause) {
    throw unreachable(context, networkFailure(cause), cause);
  }
}

function refusal(context: CallContext, response: Response, text: string | undefined): Error {
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json");
  const problem = isProblem === true ? Problem.safeParse(parseJson(text)).data : undefined;
  if (problem === undefined) {
    const isRedirect = response.status >= 300 && response.status < 400;
    const what = isRedirect ? "it sends callers elsewhere" : "it answered as no coordinator does";
    return unreachable(context, `${what} (status ${response.status})`);
  }
  const nowMs = context.nowMs();
  const retryAfterMs = parseRetryAfter(response.headers.get("retry-after"), nowMs);
  const dateMs = Date.parse(response.headers.get("date") ?? "");
  const skewMs = Number.isNaN(dateMs) ? undefined : nowMs - dateMs;
  return new CoordinatorProblem(
    problemMessage(problem, skewMs, retryAfterMs),
    problem,
    retryAfterMs,
  );
}

function parseRetryAfter(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,6}$/.test(header)) return Number(header) * 1_000;
  const atMs = Date.parse(header);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

function parseJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No JSON is one of the ways not to have the shape; the schema refuses it.
  }
}

function unreachable(context: CallContext, why: string, cause?: unknown): CoordinatorUnreachable {
  const message = `The coordinator at ${context.baseUrl} cannot be used: ${why}.`;
  return new CoordinatorUnreachable(message, { cause });
}
