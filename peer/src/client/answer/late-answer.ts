import { OpenAiError } from "#protocol/openai-error";
import { apiOfPath } from "../../metering/api-of-path";
import { type StreamError, streamErrorFrame } from "../../metering/stream-error-frame";
import type { AppRequest } from "../call/attempt";
import { LOOK_FOR_MS } from "../patience";
import type { Ticks } from "../ticks";

/** What keeps a connection open on which nothing else comes; readers of events skip it. */
export const WAITING = Buffer.from(": waiting\n\n");
/** Proxies and runtimes give up connections that are silent for a minute, some sooner. */
export const WAITING_TICKS = 15;

const NO_EVENTS: StreamError = {
  code: "engine_error",
  message: "The engine answered, and not with the stream that was asked for.",
};
const FAILED: StreamError = {
  code: "internal",
  message: "Something failed in this client. Try again.",
};

/** After so long no other node is tried. */
const LATE_TICKS = LOOK_FOR_MS / 1_000;

/** The answer to a request for a stream, or, where there is none for long, one that begins without it. */
export function answerInTime(
  answering: Promise<Response>,
  request: Pick<AppRequest, "target" | "requestId">,
  ticks: Ticks,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const wait = ticks.begin(LATE_TICKS, LATE_TICKS, () => {
      wait.end();
      resolve(lateAnswer(answering, request, ticks));
    });
    answering.then(resolve, reject).finally(wait.end);
  });
}

/**
 * The answer to a request for a stream that has waited so long that no other node will be tried: it begins before anybody
 * knows how it goes on, so that nothing on the way gives up. An error then comes as an event in the shape of its API.
 */
function lateAnswer(
  answering: Promise<Response>,
  { target, requestId }: Pick<AppRequest, "target" | "requestId">,
  ticks: Ticks,
): Response {
  const coming = eventsOf(answering, target);
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let stopWaiting = (): void => {};
  function nextTick(): Promise<undefined> {
    return new Promise((resolve) => {
      const wait = ticks.begin(WAITING_TICKS, WAITING_TICKS, () => {
        wait.end();
        resolve(undefined);
      });
      stopWaiting = wait.end;
    });
  }

  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(WAITING),
    async pull(controller) {
      if (reader === undefined) {
        const events = await Promise.race([coming, nextTick()]);
        if (events === undefined) {
          controller.enqueue(WAITING);
          return;
        }
        stopWaiting();
        reader = events.body.getReader();
        if (events.comment !== "") {
          controller.enqueue(Buffer.from(events.comment));
          return;
        }
      }
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      stopWaiting();
      await (reader ?? (await coming).body).cancel();
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-cache",
      "x-troop-request-id": requestId,
    },
  });
}

/** What the stream goes on with; the comment says what its headers would have. */
type Coming = { readonly body: ReadableStream<Uint8Array>; readonly comment: string };

/** Never rejects: what is no stream of events becomes one that tells of an error. */
async function eventsOf(answering: Promise<Response>, target: string): Promise<Coming> {
  const failed = (error: StreamError): ReadableStream<Uint8Array> =>
    new Blob([streamErrorFrame(apiOfPath(target), error)]).stream();
  try {
    const answer = await answering;
    const comment = commentOf(answer.headers);
    const isEvents = answer.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (answer.ok && isEvents && answer.body !== null) return { body: answer.body, comment };
    return { body: failed(await told(answer)), comment };
  } catch {
    // A fault of this client's own; its server would have said so in a status.
    return { body: failed(FAILED), comment: "" };
  }
}

const IN_COMMENT = [
  "x-troop-node",
  "x-troop-attempts",
  "x-troop-overhead-ms",
  "x-troop-credits",
] as const;

function commentOf(headers: Headers): string {
  const lines = IN_COMMENT.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [`: ${name}: ${value}\n`];
  });
  return lines.length === 0 ? "" : `${lines.join("")}\n`;
}

async function told(answer: Response): Promise<StreamError> {
  try {
    const { error } = OpenAiError.parse(await answer.json());
    return { code: "engine_error", message: error.message };
  } catch {
    return NO_EVENTS; // Engines have shapes of their own; some say nothing at all.
  }
}
