import { z } from "zod";
import { AckClaims } from "#protocol/ack";
import { signE2eKey, verifyE2eKey } from "#protocol/e2e-key";
import { createSessionAcceptor, E2ePrivateKey, saltedAnswerKey } from "#protocol/e2e-session";
import { sha256Base64url } from "#protocol/encoding";
import { EnrolmentClaims, signEnrolment, verifyEnrolment } from "#protocol/enrolment";
import { importPublicKey, openIdentity, peerIdOf, PrivateKey, PublicKey } from "#protocol/identity";
import { chargeFor, formatCredits } from "#protocol/microcredits";
import { userIdFrom } from "#protocol/names";
import { hashBody, signProof, verifyProof } from "#protocol/proof";
import { ReceiptClaims } from "#protocol/receipt";
import { createRecordReader, recordHeader, recordNonce } from "#protocol/sealed-record";
import { formatSessionMark, parseSessionMark } from "#protocol/sealed-message";
import { HARDWARE_OPERATIONS } from "./vector-operations-hardware";
import { Hex, hex, type Operation, operation } from "./vector-operation";
import { signTicket, TicketClaims, verifyOwnTicket, verifyTicket } from "#protocol/ticket";

/** A token as it stands, or one too long to write down. */
const Token = z.union([
  z.string(),
  z
    .strictObject({ repeat: z.string(), times: z.int() })
    .transform(({ repeat, times }) => repeat.repeat(times)),
]);

const Request = { audience: z.string(), method: z.string(), target: z.string() };
const Issued = { jws: Token, public_key: PublicKey, issuer: z.string(), now_ms: z.int() };

/** What each `op` of a vector does through protocol/; `"throws"` stands for any error. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...HARDWARE_OPERATIONS,
  parse_public_key: operation({ jwk: z.unknown() }, async ({ jwk }) => accepts(PublicKey, jwk)),
  parse_private_key: operation({ jwk: z.unknown() }, async ({ jwk }) => accepts(PrivateKey, jwk)),
  peer_id: operation({ public_key: PublicKey }, ({ public_key }) => peerIdOf(public_key)),
  open_identity: operation({ private_key: PrivateKey }, async ({ private_key }) => {
    const { peerId, publicKey } = await openIdentity(private_key);
    return { peer_id: peerId, public_key: publicKey };
  }),
  sign_bytes: operation({ private_key: PrivateKey, text: z.string() }, async (input) => {
    const { signingKey } = await openIdentity(input.private_key);
    const bytes = new TextEncoder().encode(input.text);
    const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", signingKey, bytes));
    return hex(signature);
  }),

  hash_text: operation({ text: z.string() }, ({ text }) => sha256Base64url(text)),
  hash_body: operation({ body: z.string().optional() }, ({ body }) => hashBody(body)),
  user_id: operation({ random: z.array(z.int()) }, async (input) =>
    userIdFrom(Uint8Array.from(input.random)),
  ),
  charge: operation({ engine_ms: z.int(), rate: z.int() }, async (input) =>
    chargeFor(input.engine_ms, input.rate),
  ),
  format_credits: operation({ microcredits: z.string() }, async ({ microcredits }) =>
    formatCredits(BigInt(microcredits)),
  ),

  sign_proof: operation(
    {
      ...Request,
      private_key: PrivateKey,
      body: z.string(),
      jti: z.string(),
      seq: z.int().optional(),
      now_ms: z.int(),
    },
    async ({ private_key, body, seq, jti, now_ms, ...request }) => {
      const about = {
        ...request,
        bodyHash: await hashBody(body),
        ...(seq !== undefined && { seq }),
      };
      return signProof(await openIdentity(private_key), about, jti, now_ms);
    },
  ),
  verify_proof: operation(
    { ...Request, jws: Token, body: z.string().optional(), now_ms: z.int() },
    async ({ jws, body, now_ms, ...request }) => {
      const hash = body !== undefined && { bodyHash: await hashBody(body) };
      return verifyProof(jws, { ...request, ...hash }, now_ms);
    },
  ),

  sign_ticket: operation(
    { private_key: PrivateKey, kid: z.string(), claims: inOrder(TicketClaims) },
    async ({ private_key, kid, claims }) =>
      signTicket(claims, (await openIdentity(private_key)).signingKey, kid),
  ),
  verify_ticket: operation({ ...Issued, node_id: z.string() }, async (input) =>
    verifyTicket(input.jws, await importPublicKey(input.public_key), {
      issuer: input.issuer,
      nodeId: input.node_id,
      nowMs: input.now_ms,
    }),
  ),

  verify_own_ticket: operation(
    { jws: Token, public_key: PublicKey, issuer: z.string() },
    async (input) =>
      verifyOwnTicket(input.jws, await importPublicKey(input.public_key), input.issuer),
  ),

  sign_enrolment: operation(
    { private_key: PrivateKey, kid: z.string(), claims: inOrder(EnrolmentClaims) },
    async ({ private_key, kid, claims }) =>
      signEnrolment(claims, (await openIdentity(private_key)).signingKey, kid),
  ),
  verify_enrolment: operation(Issued, async (input) =>
    verifyEnrolment(input.jws, await importPublicKey(input.public_key), {
      issuer: input.issuer,
      nowMs: input.now_ms,
    }),
  ),

  parse_receipt: operation({ claims: z.unknown() }, async ({ claims }) =>
    parsed(ReceiptClaims, claims),
  ),
  parse_ack: operation({ claims: z.unknown() }, async ({ claims }) => parsed(AckClaims, claims)),

  sign_e2e_key: operation(
    { private_key: PrivateKey, x: z.string(), now_ms: z.int() },
    async ({ private_key, x, now_ms }) => signE2eKey(await openIdentity(private_key), x, now_ms),
  ),
  verify_e2e_key: operation({ jws: Token, node_id: z.string(), now_ms: z.int() }, (input) =>
    verifyE2eKey(input.jws, input.node_id, input.now_ms),
  ),
  accept_session: operation(
    {
      private_key: E2ePrivateKey,
      enc: z.string(),
      lease_id: z.string(),
      node_id: z.string(),
      salt: Hex,
    },
    async (input) => {
      const accept = await createSessionAcceptor(input.private_key);
      const keys = await accept(input.enc, { leaseId: input.lease_id, nodeId: input.node_id });
      if (keys === undefined) return "refused";
      const answerKey = await saltedAnswerKey(keys.answerKey, input.salt);
      return { request_key: hex(keys.requestKey), answer_key: hex(answerKey) };
    },
  ),
  seal_message: operation(
    { key: Hex, about: z.string(), seq: z.int(), first: z.int(), records: z.array(Hex) },
    async ({ key, about, seq, first, records }) => {
      const sealed: string[] = [];
      for (const [at, plain] of records.entries()) {
        const isLast = at === records.length - 1;
        const nonce = recordNonce(seq, first + at, isLast ? "last" : "more");
        const aes = await aesGcm(key, about, nonce);
        sealed.push(hex(recordHeader(plain.length, isLast)), hex(await aes.encrypt(plain)));
      }
      return sealed.join("");
    },
  ),
  open_message: operation(
    { key: Hex, about: z.string(), seq: z.int(), sealed: Hex },
    async ({ key, about, seq, sealed }) => {
      const opening: Promise<Uint8Array | undefined>[] = [];
      const reader = createRecordReader((record, isLast, part) => {
        const nonce = recordNonce(seq, record, isLast ? "last" : "more");
        opening.push(
          aesGcm(key, about, nonce).then(
            (aes) => aes.decrypt(part),
            () => undefined,
          ),
        );
        return true;
      });
      const isRead = reader.push(sealed) && reader.isWhole;
      const opened = await Promise.allSettled(opening);
      const records = opened.map((one) =>
        one.status === "fulfilled" && one.value !== undefined ? hex(one.value) : "refused",
      );
      return isRead && !records.includes("refused") ? records : "refused";
    },
  ),
  call_tag: operation({ key: Hex, about: z.string(), seq: z.int() }, async (input) => {
    const aes = await aesGcm(input.key, input.about, recordNonce(input.seq, 0, "call"));
    return hex(await aes.encrypt(new Uint8Array()));
  }),
  parse_session_mark: operation({ text: z.string() }, async ({ text }) => {
    const mark = parseSessionMark(text);
    if (mark === undefined) return "refused";
    return formatSessionMark(mark) === text ? mark : "not what it was";
  }),
};

/** WebCrypto, which is everywhere; a peer does it in place by other means. */
async function aesGcm(key: Uint8Array<ArrayBuffer>, about: string, nonce: Uint8Array<ArrayBuffer>) {
  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
  const how = { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(about) };
  return {
    encrypt: async (plain: Uint8Array<ArrayBuffer>) =>
      new Uint8Array(await crypto.subtle.encrypt(how, aes, plain)),
    decrypt: async (sealed: Uint8Array<ArrayBuffer>) =>
      new Uint8Array(await crypto.subtle.decrypt(how, aes, sealed)),
  };
}

/** Checks claims and leaves the order of their fields, which the signature covers. */
function inOrder<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.infer<Schema>> {
  return z.custom<z.infer<Schema>>((value) => schema.safeParse(value).success);
}

function accepts(schema: z.ZodType, value: unknown): "accepted" | "refused" {
  return schema.safeParse(value).success ? "accepted" : "refused";
}

/** The claims as they are taken, or the first field that is wrong. */
function parsed(schema: z.ZodType, value: unknown): unknown {
  const { success, data, error } = schema.safeParse(value);
  return success ? data : { refused: error.issues[0]?.path.join(".") };
}
