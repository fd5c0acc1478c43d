import { type EngineTarget, parseEngineUrl } from "./engine-url";

export type Env = Readonly<Record<string, string | undefined>>;

/** Where an engine may be, and who said so. */
export type EngineCandidate = {
  readonly target: EngineTarget;
  readonly source:
    | { readonly from: "flag" }
    | { readonly from: "env"; readonly name: string }
    | { readonly from: "default" };
};

/** A URL that cannot be used; the message names where it came from, never a key in it. */
export type RefusedEngineUrl = { readonly origin: string; readonly message: string };

export type EngineCandidates = {
  readonly candidates: readonly EngineCandidate[];
  readonly refused: readonly RefusedEngineUrl[];
};

/** Where each engine listens unless told otherwise. llama.cpp is moving from 8080 to 9931. */
const PLACES = [
  { env: "OLLAMA_HOST", ports: [11_434], keyEnv: null },
  { env: "VLLM_HOST", ports: [8_000], keyEnv: "VLLM_API_KEY" },
  { env: "LMSTUDIO_URL", ports: [1_234], keyEnv: "LM_API_TOKEN" },
  { env: "LLAMACPP_HOST", ports: [8_080, 9_931], keyEnv: "LLAMA_API_KEY" },
] as const;
const FLAG_PORT = 80;

const WHY = {
  not_a_url: "is no URL",
  not_http: "must be http:// or https://",
  has_credentials: "must hold no user or password; put the key into ENGINE_API_KEY",
  has_query: "must end before ? and #",
} as const;

/**
 * The engines named by `--engine`, or else those of the environment and the usual ports. A key goes
 * only to an address that its owner named: whoever squats a usual port gets none.
 */
export function engineCandidates(engineUrls: readonly string[], env: Env): EngineCandidates {
  const candidates: EngineCandidate[] = [];
  const refused: RefusedEngineUrl[] = [];

  function add(text: string, port: number, source: EngineCandidate["source"], key?: string): void {
    const parsed = parseEngineUrl(text, port);
    if (!parsed.ok) {
      const origin = source.from === "env" ? source.name : "--engine";
      refused.push({ origin, message: `${origin} ${WHY[parsed.reason]}` });
      return;
    }
    const target = key ? { ...parsed.value, apiKey: key } : parsed.value;
    const isKnown = candidates.some((each) => each.target.rootUrl === target.rootUrl);
    if (!isKnown) candidates.push({ target, source });
  }

  for (const url of engineUrls) add(url, FLAG_PORT, { from: "flag" }, env["ENGINE_API_KEY"]);
  if (engineUrls.length > 0) return { candidates, refused };

  for (const place of PLACES) {
    const text =
      place.env === "OLLAMA_HOST" ? ollamaHost(env["OLLAMA_HOST"]) : env[place.env]?.trim();
    if (text) {
      const key = place.keyEnv === null ? undefined : env[place.keyEnv];
      add(text, place.ports[0], { from: "env", name: place.env }, key);
    } else {
      for (const port of place.ports) add(`127.0.0.1:${port}`, port, { from: "default" });
    }
  }
  return { candidates, refused };
}

/** As Ollama's own client reads it: quotes off, and a port that is none is the usual one. */
function ollamaHost(value: string | undefined): string | undefined {
  const text = value?.trim().replace(/^["']+|["']+$/g, "");
  if (!text) return undefined;
  const [, head = text, port, path = ""] = /^(.*?):(\d+|[^\]/:]*)(\/.*)?$/.exec(text) ?? [];
  const isBadPort =
    port !== undefined && !path.startsWith("//") && !(/^\d+$/.test(port) && Number(port) <= 65_535);
  return isBadPort ? `${head}:11434${path}` : text;
}
