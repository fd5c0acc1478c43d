import { embeddingsBody, readEmbeddingsAsk } from "./apis/embeddings";
import {
  readTranscription,
  transcriptionResponse,
  transcriptionStream,
} from "./apis/transcriptions";
import type { TextApi } from "./ask";
import { refuse } from "./refuse";
import { type Call, serveText } from "./serve-text";
import { jsonResponse } from "./voice";

const ENDPOINTS: ReadonlyMap<string, TextApi | "embeddings" | "transcriptions"> = new Map([
  ["/v1/chat/completions", "chat"],
  ["/v1/completions", "completions"],
  ["/v1/responses", "responses"],
  ["/v1/messages", "messages"],
  ["/v1/embeddings", "embeddings"],
  ["/v1/audio/transcriptions", "transcriptions"],
]);

/** Answers one request in the engine's voice. `path` is without the query. */
export async function serve(call: Call, path: string): Promise<Response> {
  const { engine, request, entry } = call;
  const { voice, settings } = engine;
  const guarded = voice.guard?.(request) ?? null;
  if (guarded !== null) return noted(call, guarded);
  if (settings.apiKey !== null && voice.needsKey(path) && !hasKey(request, settings.apiKey)) {
    return refuse(call, { reason: "unauthorized" }, null);
  }

  const endpoint = ENDPOINTS.get(path);
  if (endpoint === undefined || request.method !== "POST" || !voice.apis.has(endpoint)) {
    const answer = await voice.route(engine, request.method, path, request);
    if (answer !== null) return noted(call, answer);
    const isKnown = endpoint !== undefined || isListing(call, path);
    return noted(call, voice.unknown(request.method, path, isKnown));
  }

  const body = await readBody(call);
  const api = endpoint === "embeddings" || endpoint === "transcriptions" ? null : endpoint;
  if (settings.health === "loading") return refuse(call, { reason: "loading" }, api);
  if (settings.health === "dead") return refuse(call, { reason: "failed", status: 500 }, api);
  if (endpoint === "transcriptions") return serveTranscription(call, body);

  let json: unknown;
  try {
    const isZstd = request.headers.get("content-encoding") === "zstd";
    // Ollama alone unpacks requests, and only here.
    const plain = isZstd && voice.name === "ollama" && endpoint === "responses";
    json = JSON.parse(Buffer.from(plain ? Bun.zstdDecompressSync(body) : body).toString("utf8"));
  } catch {
    return refuse(call, { reason: "bad_json" }, api);
  }
  entry.model = modelOf(json);
  return endpoint === "embeddings" ? serveEmbeddings(call, json) : serveText(call, endpoint, json);
}

async function readBody({ engine, request, entry }: Call): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array(await request.arrayBuffer());
  entry.bodyBytes = body.byteLength;
  const { limit, bodyBytesKept } = engine.journal;
  if (limit > 0) entry.bodySha256 = Bun.SHA256.hash(body, "hex");
  if (bodyBytesKept > 0) entry.body = body.slice(0, bodyBytesKept);
  return body;
}

function serveEmbeddings(call: Call, json: unknown): Response {
  const ask = readEmbeddingsAsk(json);
  if ("refusedField" in ask) {
    const param = String(ask.refusedField);
    return refuse(
      call,
      { reason: "bad_request", param, message: `invalid value for '${param}'` },
      null,
    );
  }
  const { engine, fault } = call;
  const model = ask.model ?? "";
  const found = engine.voice.resolve(engine, model);
  if (found === null) return refuse(call, { reason: "model_not_found", model }, null);
  if (fault?.kind === "error")
    return refuse(call, { reason: "failed", status: fault.status }, null);
  return noted(call, jsonResponse(engine.voice, embeddingsBody(ask, found.reported)));
}

async function serveTranscription(call: Call, body: Uint8Array<ArrayBuffer>): Promise<Response> {
  const { engine, request } = call;
  const heard = await readTranscription(body, request.headers.get("content-type") ?? "");
  if (heard === null) {
    return refuse(
      call,
      { reason: "bad_request", param: "file", message: "file is required" },
      null,
    );
  }
  call.entry.model = heard.model;
  const found = engine.voice.resolve(engine, heard.model);
  if (found === null) return refuse(call, { reason: "model_not_found", model: heard.model }, null);
  return noted(call, heard.stream ? transcriptionStream(heard) : transcriptionResponse(heard));
}

function noted({ engine, entry }: Call, response: Response): Response {
  entry.status = response.status;
  engine.journal.close(entry, response.ok ? "completed" : "refused");
  return response;
}

function isListing({ engine, request }: Call, path: string): boolean {
  return request.method !== "GET" && engine.voice.route(engine, "GET", path, request) !== null;
}

function hasKey(request: Request, key: string): boolean {
  const { headers } = request;
  return headers.get("authorization") === `Bearer ${key}` || headers.get("x-api-key") === key;
}

function modelOf(json: unknown): string | null {
  if (typeof json !== "object" || json === null || !("model" in json)) return null;
  return typeof json.model === "string" ? json.model : null;
}
