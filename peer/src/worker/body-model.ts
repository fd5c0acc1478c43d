import { createJsonModelScan } from "./json-model-scan";
import type { ModelScan } from "./model-scan";
import { createMultipartModelScan } from "./multipart-model-scan";

/**
 * How to find the model in a body of this type; `undefined` where it cannot be told, since the body is packed or of
 * no known kind.
 *
 * The engine is chosen by the ticket's model, never by the body's. A client that lied about it could get another model
 * of the same engine at this ticket's rate; rates belong to nodes, not to models, so it would win little. It would
 * however spoil what the network learns of a model's price, so whatever can be checked is.
 */
export function modelScanFor(headers: Headers): ModelScan | undefined {
  const kind = kindOf(headers);
  if (kind === "json") return createJsonModelScan();
  return kind === undefined ? undefined : createMultipartModelScan(kind.boundary);
}

/** The model that a whole body names, or `unknown` where it cannot be told. */
export function modelOf(
  headers: Headers,
  body: Uint8Array,
): { readonly model: string | undefined } | "unknown" {
  // Parsing is quicker than scanning, as long as the body is small.
  if (kindOf(headers) === "json") return { model: parsedModel(body) };
  const scan = modelScanFor(headers);
  scan?.feed(body);
  return scan === undefined ? "unknown" : { model: scan.model() };
}

function kindOf(headers: Headers): "json" | { readonly boundary: string } | undefined {
  const encoding = headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") return undefined;
  const type = headers.get("content-type");
  // Clients that forget the type send JSON.
  if (type === null || /^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return "json";
  const match = /^multipart\/form-data;.*?boundary=(?:"([^"]{1,70})"|([^\s;]{1,70}))/i.exec(type);
  const boundary = match?.[1] ?? match?.[2];
  return boundary === undefined ? undefined : { boundary };
}

function parsedModel(body: Uint8Array): string | undefined {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(body));
    if (typeof json !== "object" || json === null || !("model" in json)) return undefined;
    return typeof json.model === "string" ? json.model : undefined;
  } catch {
    return undefined; // Not JSON, so it names nothing.
  }
}
