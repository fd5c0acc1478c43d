import type { EngineKind, ModelOffer } from "#protocol/model-offer";
import { CliError, EXIT } from "../cli/error";
import { buildCatalogue } from "../engines/catalogue";
import { engineCandidates, type Env } from "../engines/engine-env";
import { createEngineThere, ENGINE_SILENCE, type EngineThere } from "../engines/engine-there";
import { upstreamUrl } from "../engines/engine-url";
import { type EngineWatch, watchEngines } from "../engines/watch";
import type { Answer } from "../http/answer";
import { callHttp, type HttpCall } from "../http/call";
import { requestHeaders } from "../http/pass-headers";
import { holdJson, isHalfJson } from "./answer/hold-json";
import type { Answered, AppRequest } from "./call/attempt";
import type { OpenAck } from "./acks/ack-book";
import { createSilenceWatch, type SilenceLimits } from "./nodes/silence";

/** What `x-troop-node` says of an answer that no node gave. */
export const LOCAL = "local";

/** The engines of this machine, which cost nothing. */
export type LocalEngines = {
  readonly offers: () => readonly ModelOffer[];
  /**
   * Sends a request to the engine that has its model. Resolves when content has begun to come, and JSON is whole;
   * `undefined`: none has the model, it has as much to do as it can, or it gave no answer.
   */
  readonly attempt: (request: AppRequest) => Promise<Answered | undefined>;
  /** Cuts what has begun to come. */
  readonly cutBegun: () => void;
  /** Looks after engines that are silent; called about once a second. */
  readonly tick: () => void;
};

/** Requests at once where an engine doesn't say how many it serves; those that come on top are better off elsewhere. */
const USUAL_SLOTS: Readonly<Record<EngineKind, number>> = {
  vllm: 32,
  llamacpp: 1,
  ollama: 1,
  lmstudio: 1,
  openai: 1,
};
const CONNECT_WITHIN_MS = 1_000;
/** As a worker does; a tick is about a second. */
const ENGINE_LIMITS: SilenceLimits = {
  silentTicks: ENGINE_SILENCE.askAfterS,
  trustedTicks: ENGINE_SILENCE.askEveryS,
  againTicks: ENGINE_SILENCE.askEveryS,
  mostUnanswered: ENGINE_SILENCE.mostUnanswered,
};
/** Nobody is paid, so nobody is told. */
const NO_ACK: OpenAck = { firstByte() {}, end() {} };

export function createLocalEngines(
  watch: Pick<EngineWatch, "catalogue" | "engines" | "refreshNow">,
  isThere: EngineThere = createEngineThere(),
): LocalEngines {
  const running = new Map<string, number>();
  const silence = createSilenceWatch(async (rootUrl) => {
    const engine = watch.engines().find(({ target }) => target.rootUrl === rootUrl);
    return { state: engine !== undefined && (await isThere(engine)) ? "there" : "silent" };
  }, ENGINE_LIMITS);
  const count = (url: string, by: 1 | -1): void =>
    void running.set(url, (running.get(url) ?? 0) + by);

  async function attempt(request: AppRequest): Promise<Answered | undefined> {
    const route = watch.catalogue().resolve(request.model);
    if (route === null || request.signal.aborted) return undefined;
    const { target, kind } = route.engine;
    const slots = route.offer.slots ?? USUAL_SLOTS[kind];
    const url = upstreamUrl(target, request.target);
    if (url === null || (running.get(target.rootUrl) ?? 0) >= slots) return undefined;

    const { body, headers, signal } = request;
    count(target.rootUrl, 1);
    const sentAtMs = performance.now();
    const call = callHttp({
      url,
      headers: requestHeaders(headers, target.apiKey, { length: body.length }),
      body: { kind: "whole", bytes: body },
      connectWithinMs: CONNECT_WITHIN_MS,
    });
    const { cut } = call;
    const exchange = silence.begin(target.rootUrl, cut);
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      signal.removeEventListener("abort", cut);
      exchange.end();
      count(target.rootUrl, -1);
    };
    signal.addEventListener("abort", cut, { once: true });
    const answer = await begun(await call.answer);
    if (answer === undefined) {
      cut();
      end();
      // It is looked at again at once, and offered no longer where it is gone.
      if (!signal.aborted) void watch.refreshNow();
      return undefined;
    }
    exchange.heard();
    const times = { rate: 0, sentAtMs, firstAtMs: performance.now(), hidesUsage: false };
    const nothing = (): void => {};
    const told = { ...times, broke: nothing, keptAs: nothing, ack: NO_ACK };
    return {
      nodeId: LOCAL,
      engine: kind,
      answer,
      refusal: undefined,
      ticket: undefined,
      heard: exchange.heard,
      cut,
      end,
      ...told,
    };
  }

  return {
    offers: () => watch.catalogue().offers,
    attempt,
    cutBegun: silence.cutBegun,
    tick: silence.tick,
  };
}

/** An answer of which something has come that is of use to the app; `undefined`: it broke off before. */
async function begun(called: Awaited<HttpCall["answer"]>): Promise<Answer | undefined> {
  if (!called.ok || !(await called.value.hasBegun())) return undefined;
  return isHalfJson(called.value) ? holdJson(called.value, () => {}) : called.value;
}

/**
 * Looks for engines in the background, so that nobody waits for ports at which there is none. Throws `CliError` where a
 * URL is none.
 */
export function findLocalEngines(
  urls: readonly string[],
  env: Env,
): LocalEngines & { readonly stop: () => Promise<void> } {
  const { candidates, refused } = engineCandidates(urls, env);
  if (refused[0] !== undefined) throw new CliError(EXIT.usage, `${refused[0].message}.`);
  let watch: EngineWatch | undefined;
  const watching = watchEngines({ candidates, onChange() {} }).then((found) => (watch = found));
  const none = buildCatalogue([]);
  return {
    ...createLocalEngines({
      catalogue: () => watch?.catalogue() ?? none,
      engines: () => watch?.engines() ?? [],
      refreshNow: async () => watch?.refreshNow(),
    }),
    stop: async () => (await watching).stop(),
  };
}
