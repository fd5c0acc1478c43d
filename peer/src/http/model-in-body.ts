import { createJsonModelScan, isOtherModel } from "./json-model-scan";
import type { ModelScan } from "./model-scan";
import { createMultipartModelScan } from "./multipart-model-scan";

/** Where a body's type and packing are told. */
export type BodyHeaders = Pick<Headers, "get">;

/**
 * How to find the model in a body of this type; `undefined` where it cannot be told, since the body is packed or of
 * no known kind.
 *
 * The engine is chosen by the ticket's model, never by the body's. A client that lied about it could get another model
 * of the same engine at this ticket's rate; rates belong to nodes, not to models, so it would win little. It would
 * however spoil what the network learns of a model's price, so whatever can be checked is.
 */
export function modelScanFor(headers: BodyHeaders): ModelScan | undefined {
  const kind = kindOf(headers);
  if (kind === "json") return createJsonModelScan();
  return kind === undefined ? undefined : createMultipartModelScan(kind.boundary);
}

/** What a body says of its model; where it is ambiguous, engines may read another one from it. */
export type NamedModel = { readonly model: string | undefined; readonly isAmbiguous: boolean };

/** The model that a whole body names, or `unknown` where it cannot be told. */
export function modelOf(headers: BodyHeaders, body: Uint8Array): NamedModel | "unknown" {
  // Parsing is quicker than scanning, as long as the body is small.
  if (kindOf(headers) === "json") return parsedModel(body);
  const scan = modelScanFor(headers);
  scan?.feed(body);
  return scan === undefined ? "unknown" : found(scan);
}

function kindOf(headers: BodyHeaders): "json" | { readonly boundary: string } | undefined {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") return undefined;
  const type = headers.get("content-type");
  // Clients that forget the type send JSON.
  if (type === null || /^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return "json";
  const match = /^multipart\/form-data;.*?boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(type);
  const boundary = match?.[1] ?? match?.[2];
  return boundary === undefined ? undefined : { boundary };
}

/** What a scan of all the bytes found. */
export function found(scan: ModelScan): NamedModel {
  return { model: scan.model(), isAmbiguous: scan.isAmbiguous() };
}

/** What a whole JSON body names; nothing where it is none. */
export function parsedModel(body: Uint8Array): NamedModel {
  try {
    const json: unknown = JSON.parse(utf8.decode(body));
    if (!isObject(json)) return NOTHING;
    const { model } = json;
    let isAmbiguous = false;
    for (const key in json) isAmbiguous ||= isOtherModel(key, json[key], model);
    return { model: typeof model === "string" ? model : undefined, isAmbiguous };
  } catch {
    return NOTHING; // Not JSON, so it names nothing.
  }
}

const utf8 = new TextDecoder();
const NOTHING: NamedModel = { model: undefined, isAmbiguous: false };

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
