import type { TextApi } from "./ask";
import type { Call } from "./serve-text";
import type { Refusal } from "./voice";

/** The engine's own error answer; with `inStream`, as the engine gives it to a streaming request. */
export function refuse(
  { engine, entry }: Pick<Call, "engine" | "entry">,
  refusal: Refusal,
  api: TextApi | null,
  inStream = false,
): Response {
  const { voice } = engine;
  const { status, body } = voice.refuse(refusal, api);
  const isEvent = inStream && voice.streamErrorsAre200;
  entry.status = isEvent ? 200 : status;
  engine.journal.close(entry, "refused");
  return isEvent
    ? new Response(`event: error\ndata: ${body}\n\n`, {
        headers: { "content-type": voice.streamType, ...voice.headers },
      })
    : new Response(body, { status, headers: { "content-type": voice.jsonType, ...voice.headers } });
}
