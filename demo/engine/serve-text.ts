import { type Answer, writeAnswer } from "./answer";
import { chunkFrames, wholeBody } from "./apis/chunks";
import { messageBody, messageFrames } from "./apis/messages";
import { responseBody, responseFrames } from "./apis/responses";
import { type Ask, readAsk, type TextApi } from "./ask";
import type { Fault } from "./faults";
import type { JournalEntry } from "./journal";
import { fnv1a } from "./prose";
import { refuse } from "./refuse";
import type { DemoModel } from "./settings";
import type { Slot } from "./slots";
import { streamOf } from "./stream";
import { wait } from "./ticker";
import type { Engine, Frames, Voice } from "./voice";

/** One request on its way through the engine. */
export type Call = {
  readonly engine: Engine;
  readonly request: Request;
  readonly entry: JournalEntry;
  readonly fault: Fault | null;
};

/** nginx's number for a client that left; nobody is there to see it. */
const CLIENT_LEFT = 499;

export async function serveText(call: Call, api: TextApi, json: unknown): Promise<Response> {
  const { engine, entry, fault, request } = call;
  const { voice, settings } = engine;
  const read = readAsk(api, json, voice.emptyStreamOptionsMeanUsage);
  if (!read.ok) return refuse(call, { reason: "bad_request", ...read.refusal }, api);
  const { ask } = read;

  const found = voice.resolve(engine, ask.model);
  if (found === null) return refuse(call, { reason: "model_not_found", model: ask.model }, api);
  const { contextLength } = found.model;
  if (voice.refusesLongPrompts && ask.promptTokens >= contextLength) {
    const { promptTokens } = ask;
    return refuse(call, { reason: "context", promptTokens, contextLength }, api, ask.stream);
  }

  const slot = engine.slots.take() ?? (await queued(call));
  if (slot === null) {
    if (request.signal.aborted) return gone(call, null);
    return refuse(call, { reason: "busy" }, api);
  }
  if (!(await prefill(call, found.model))) return gone(call, slot);
  if (fault?.kind === "error") {
    slot.free();
    return refuse(call, { reason: "failed", status: fault.status }, api, ask.stream);
  }

  const answer = answerTo(call, ask, found.reported);
  const finish = (outcome: "completed" | "cancelled" | "broken"): void => {
    slot.free();
    engine.journal.close(entry, outcome);
  };
  entry.status = 200;
  if (ask.stream) {
    const frames = FORMS[api].frames(ask, answer, voice);
    const job = { frames, fault, failure: voice.streamFailure(ask), entry, finish };
    const { tokensPerSecond } = settings;
    return new Response(streamOf({ ...job, tokensPerSecond, ticker: engine.ticker }), {
      headers: { "content-type": voice.streamType, ...voice.headers, ...voice.streamHeaders },
    });
  }
  if (settings.tokensPerSecond > 0) {
    const ms = ((answer.pieces.length - 1) * 1_000) / settings.tokensPerSecond;
    if (!(await wait(engine.ticker, ms, request.signal))) return gone(call, slot);
  }
  if (fault?.kind === "error-midway") {
    slot.free();
    return refuse(call, { reason: "failed", status: 500 }, api);
  }
  const body = FORMS[api].body(ask, answer, voice);
  const headers = { "content-type": voice.jsonType, ...voice.headers };
  if (fault === null || !SPOILS_BODY.has(fault.kind)) {
    entry.tokens = answer.pieces.length;
    finish("completed");
    return new Response(body, { headers });
  }
  if (fault.kind === "malformed") {
    finish("broken");
    return new Response(body.slice(0, body.length / 2), { headers });
  }
  const frames = {
    head: body.slice(0, body.length / 2),
    count: 0,
    piece: () => "",
    tail: body.slice(body.length / 2),
  };
  const job = {
    frames,
    fault,
    failure: "",
    entry,
    finish,
    tokensPerSecond: 0,
    ticker: engine.ticker,
  };
  return new Response(streamOf(job), { headers });
}

const SPOILS_BODY: ReadonlySet<Fault["kind"]> = new Set(["cut", "stall", "malformed", "split"]);

function queued({ engine, request }: Call): Promise<Slot | null> | null {
  return engine.settings.queueLimit > 0 ? engine.slots.queue(request.signal) : null;
}

/** Loads the model if it is cold, then waits for the first token; false if the client left. */
async function prefill({ engine, request, fault }: Call, model: DemoModel): Promise<boolean> {
  const { settings, ticker } = engine;
  const slowMs = fault?.kind === "slow-first-token" ? fault.ms : 0;
  const loadMs = model.loaded ? 0 : settings.loadMs;
  const waitMs = settings.firstTokenMs + slowMs + loadMs;
  if (waitMs > 0 && !(await wait(ticker, waitMs, request.signal))) return false;
  if (!model.loaded) {
    engine.models = engine.models.map((each) =>
      each.id === model.id ? { ...each, loaded: true } : each,
    );
  }
  return true;
}

function gone({ engine, entry }: Call, slot: Slot | null): Response {
  slot?.free();
  engine.journal.close(entry, "cancelled");
  return new Response(null, { status: CLIENT_LEFT });
}

function answerTo({ engine, fault, entry }: Call, ask: Ask, model: string): Answer {
  const { voice, settings } = engine;
  const token = settings.deterministic ? requestToken(ask) : randomToken();
  const names = {
    id: voice.answerId(ask.api, token),
    createdSeconds: settings.deterministic ? FIXED_TIME : Math.floor(entry.atMs / 1_000),
    model,
    toolCallId: `call_${token.slice(0, 24)}`,
  };
  const answer = writeAnswer(ask, names, {
    tokensPerAnswer: settings.tokensPerAnswer,
    toolArgumentStep: voice.toolArgumentStep,
  });
  return fault?.kind === "empty" ? { ...answer, pieces: [] } : answer;
}

const FIXED_TIME = 1_750_000_000;

function requestToken({ seed, model }: Ask): string {
  return fnv1a(`${model} ${seed}`).toString(16).padStart(8, "0").repeat(4);
}

function randomToken(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

type Form = {
  frames(ask: Ask, answer: Answer, voice: Voice): Frames;
  body(ask: Ask, answer: Answer, voice: Voice): string;
};

const CHUNKS: Form = {
  frames: (ask, answer, voice) => chunkFrames(ask, answer, voice.chunks),
  body: (ask, answer, voice) => wholeBody(ask, answer, voice.chunks),
};

const FORMS: Readonly<Record<TextApi, Form>> = {
  chat: CHUNKS,
  completions: CHUNKS,
  responses: {
    frames: (_ask, answer, voice) => responseFrames(answer, voice.numbersResponseEvents),
    body: (_ask, answer) => responseBody(answer),
  },
  messages: {
    frames: (_ask, answer) => messageFrames(answer),
    body: (_ask, answer) => messageBody(answer),
  },
};
