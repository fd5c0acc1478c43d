import type { z } from "zod";
import type { Outcome } from "#protocol/outcome";
import { readLimited } from "../coordinator/limited-body";
import type { EngineTarget } from "./engine-url";

export type ReadRefusal = {
  readonly reason:
    /** Nobody listens. */
    | "unreachable"
    /** The connection broke, or what came over it is not HTTP. */
    | "broken"
    | "timeout"
    | "redirect"
    | "too_large"
    /** Not JSON, or not of the asked shape. */
    | "shape"
    | "unauthorized"
    /** Another status than 2xx. */
    | "status";
};

export type EngineAnswer = { readonly status: number; readonly text: string };

/** Asks one engine; equal questions within its lifetime are sent once. */
export type EngineReader = {
  readonly target: EngineTarget;
  /** Whatever came back, whichever status. `path` is added to the engine's root. */
  answer(path: string): Promise<Outcome<EngineAnswer, ReadRefusal>>;
  /** A 2xx answer of this shape. */
  json<Shape extends z.ZodType>(
    path: string,
    shape: Shape,
  ): Promise<Outcome<z.infer<Shape>, ReadRefusal>>;
  postJson<Shape extends z.ZodType>(
    path: string,
    body: object,
    shape: Shape,
  ): Promise<Outcome<z.infer<Shape>, ReadRefusal>>;
};

export type ReadLimits = {
  /** For all questions of one reader together: a slow engine cannot add limits up. */
  readonly timeoutMs: number;
  readonly maxBytes?: number;
  /** Ends all of them. */
  readonly signal?: AbortSignal;
};

const MAX_BYTES = 4 * 1024 * 1024;

export function engineReader(target: EngineTarget, limits: ReadLimits): EngineReader {
  const { timeoutMs, maxBytes = MAX_BYTES, signal } = limits;
  const deadline = AbortSignal.timeout(timeoutMs);
  const ends = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  const asked = new Map<string, Promise<Outcome<EngineAnswer, ReadRefusal>>>();

  async function ask(path: string, body?: object): Promise<Outcome<EngineAnswer, ReadRefusal>> {
    try {
      const response = await fetch(urlOf(target, path), {
        method: body === undefined ? "GET" : "POST",
        headers: headersFor(target, body !== undefined),
        // A redirect could lead off the machine, with the key.
        redirect: "manual",
        // vLLM closes idle connections after 5 s; one that is kept could break under the next question.
        keepalive: false,
        signal: ends,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        return { ok: false, reason: "redirect" };
      }
      const text = await readLimited(response, maxBytes);
      if (text === undefined) return { ok: false, reason: "too_large" };
      return { ok: true, value: { status: response.status, text } };
    } catch (error) {
      return { ok: false, reason: ends.aborted ? "timeout" : connectionRefusal(error) };
    }
  }

  function answer(path: string): Promise<Outcome<EngineAnswer, ReadRefusal>> {
    const known = asked.get(path);
    if (known !== undefined) return known;
    const coming = ask(path);
    asked.set(path, coming);
    return coming;
  }

  return {
    target,
    answer,
    json: async (path, shape) => shaped(await answer(path), shape),
    postJson: async (path, body, shape) => shaped(await ask(path, body), shape),
  };
}

function shaped<Shape extends z.ZodType>(
  answer: Outcome<EngineAnswer, ReadRefusal>,
  shape: Shape,
): Outcome<z.infer<Shape>, ReadRefusal> {
  if (!answer.ok) return answer;
  const { status, text } = answer.value;
  if (status === 401 || status === 403) return { ok: false, reason: "unauthorized" };
  if (status < 200 || status > 299) return { ok: false, reason: "status" };
  const parsed = shape.safeParse(parseJson(text));
  return parsed.success ? { ok: true, value: parsed.data } : { ok: false, reason: "shape" };
}

/** `undefined` for text that is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Any server may answer with anything; what isn't JSON has no shape we know.
    return undefined;
  }
}

const NOBODY_THERE: ReadonlySet<unknown> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** Bun puts the cause into `code`; the error's text may hold the URL and is not kept. */
function connectionRefusal(error: unknown): "unreachable" | "broken" {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return NOBODY_THERE.has(code) ? "unreachable" : "broken";
}

function urlOf(target: EngineTarget, path: string): string {
  return path.startsWith("/v1/") ? target.apiBaseUrl + path.slice(3) : target.rootUrl + path;
}

/** No Origin and no cookies; `Host` is the engine's own, from the URL. */
function headersFor({ apiKey }: EngineTarget, hasBody: boolean): Record<string, string> {
  return {
    accept: "application/json",
    // Unpacked bytes are what the limit counts, so nothing is to be packed.
    "accept-encoding": "identity",
    ...(hasBody ? { "content-type": "application/json" } : {}),
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
  };
}
