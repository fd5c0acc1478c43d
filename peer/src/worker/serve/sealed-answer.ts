import {
  type SealedAnswerHead,
  sealedHead,
  SEALED_TYPE,
  SESSION_HEADER,
} from "#protocol/sealed-message";
import { createMessageSealer, sealMessage } from "../../e2e/message-sealer";
import type { Admitted } from "../admission/admit";

/** Answers one request, once: two answers under one number would be sealed with the same nonces. */
export type AnswerSealer = {
  /** All of it at once. */
  whole(status: number, headers: SealedAnswerHead["headers"], body: Uint8Array): Response;
  /** In parts. What is sealed has to be sent in that order. */
  begin(status: number, headers: SealedAnswerHead["headers"]): StreamSealer;
};

export type StreamSealer = {
  readonly head: Uint8Array;
  part(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
  response(body: ReadableStream<Uint8Array>): Response;
};

export function createAnswerSealer({
  session,
  lease,
  seq,
}: Pick<Admitted, "session" | "lease" | "seq">): AnswerSealer {
  let isUsed = false;
  function claim(): void {
    if (isUsed) throw new Error("A request is answered once.");
    isUsed = true;
    // Whatever was given back before: under this number nothing may be sealed again.
    lease.claim(seq);
  }
  const outside = { "content-type": SEALED_TYPE, [SESSION_HEADER]: session.salt };

  return {
    whole(status, headers, body) {
      const head = sealedHead({ status, headers, length: body.length });
      claim();
      return new Response(sealMessage(session.answerKey, seq, head, body), { headers: outside });
    },
    begin(status, headers) {
      claim();
      const sealing = createMessageSealer(session.answerKey, seq);
      return {
        head: sealing.head(sealedHead({ status, headers })),
        part: (bytes) => sealing.part(bytes),
        end: () => sealing.last(),
        response: (body) => new Response(body, { headers: outside }),
      };
    },
  };
}
