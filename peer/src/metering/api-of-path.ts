/** The APIs under `/v1` whose streams have a shape of their own; `other` has none that is known here. */
export type ApiShape = "chat" | "completions" | "responses" | "messages" | "other";

const SHAPES: Readonly<Record<string, ApiShape>> = {
  "/v1/chat/completions": "chat",
  "/v1/completions": "completions",
  "/v1/responses": "responses",
  "/v1/messages": "messages",
};

/** `target`: path of a request, with or without its query. */
export function apiOfPath(target: string): ApiShape {
  const query = target.indexOf("?");
  return SHAPES[query === -1 ? target : target.slice(0, query)] ?? "other";
}
