import { type DirectionKey, directionKey } from "#peer/e2e/aead";
import { createMessageOpener } from "#peer/e2e/message-opener";
import { createMessageSealer, sealMessage } from "#peer/e2e/message-sealer";
import type { Bytes } from "#peer/http/answer-parser";
import { saltedAnswerKey } from "#protocol/e2e-session";
import {
  parseSealedHead,
  SEALED_TYPE,
  SealedAnswerHead,
  sealedHead,
  SealedRequestHead,
  SESSION_HEADER,
} from "#protocol/sealed-message";

const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** A node's answer as its client opens it; a refusal in the open stays what it is. */
export async function openResponse(
  answer: Response,
  answerKey: Uint8Array<ArrayBuffer>,
  seq: number,
): Promise<Response> {
  const salt = answer.headers.get(SESSION_HEADER);
  if (answer.headers.get("content-type") !== SEALED_TYPE || salt === null) return answer;
  const reader = answer.body?.getReader();
  if (reader === undefined) throw new Error("A sealed answer has a body.");
  const came: { head?: SealedAnswerHead | undefined } = {};
  const opened: Bytes[] = [];
  const opener = createMessageOpener(await answerKeyOf(answerKey, salt), seq, {
    onHead(bytes) {
      came.head = parseSealedHead(bytes, SealedAnswerHead);
      return came.head !== undefined;
    },
    onBody: (bytes) => opened.push(bytes),
  });
  /** False: there is no more. */
  async function more(): Promise<boolean> {
    const { value } = (await reader?.read()) ?? {};
    if (value === undefined && !opener.isWhole) throw new Error("The answer was cut off.");
    if (value !== undefined && !opener.push(value)) throw new Error("The answer was forged.");
    return value !== undefined;
  }
  while (came.head === undefined) await more();
  const { status, headers } = came.head;
  if (WITHOUT_BODY.has(status)) return new Response(null, { status, headers });
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        while (opened.length === 0) {
          if (await more()) continue;
          controller.close();
          return;
        }
        for (const bytes of opened.splice(0)) controller.enqueue(bytes);
      } catch (error) {
        controller.error(error);
      }
    },
    cancel: () => reader.cancel(),
  });
  return new Response(body, { status, headers });
}

/** What a client sent in one piece; throws where it does not open. */
export function openRequest(
  bytes: Uint8Array<ArrayBuffer>,
  key: DirectionKey,
  seq: number,
): { readonly head: SealedRequestHead; readonly body: Uint8Array<ArrayBuffer> } {
  let head: SealedRequestHead | undefined;
  const body: Bytes[] = [];
  const opener = createMessageOpener(key, seq, {
    onHead(sealed) {
      head = parseSealedHead(sealed, SealedRequestHead);
      return head !== undefined;
    },
    onBody: (part) => body.push(part),
  });
  if (!opener.push(bytes) || !opener.isWhole || head === undefined) {
    throw new Error("The request does not open.");
  }
  return { head, body: new Uint8Array(Buffer.concat(body)) };
}

/** An answer as its node seals it: at once where `isStream` is false, else as it comes. */
export async function sealResponse(
  answer: Response,
  { key, salt, seq }: { readonly key: DirectionKey; readonly salt: string; readonly seq: number },
  isStream: boolean,
): Promise<Response> {
  const head = { status: answer.status, headers: [...answer.headers] };
  const outside = { headers: { "content-type": SEALED_TYPE, [SESSION_HEADER]: salt } };
  if (!isStream || answer.body === null) {
    const body = new Uint8Array(await answer.arrayBuffer());
    const whole = sealMessage(key, seq, sealedHead({ ...head, length: body.length }), body);
    return new Response(whole, outside);
  }
  const sealer = createMessageSealer(key, seq);
  const reader = answer.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(sealer.head(sealedHead(head))),
    async pull(controller) {
      try {
        const { value } = await reader.read();
        controller.enqueue(value === undefined ? sealer.last() : sealer.part(value));
        if (value === undefined) controller.close();
      } catch {
        controller.error(null);
      }
    },
    cancel: () => reader.cancel(),
  });
  return new Response(body, outside);
}

export async function answerKeyOf(
  answerKey: Uint8Array<ArrayBuffer>,
  salt: string,
): Promise<DirectionKey> {
  const bytes = new Uint8Array(Buffer.from(salt, "base64url"));
  return directionKey("answer", await saltedAnswerKey(answerKey, bytes));
}
