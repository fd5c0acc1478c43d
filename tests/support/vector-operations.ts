import { z } from "zod";
import { sha256Base64url } from "#protocol/encoding";
import { EnrolmentClaims, signEnrolment, verifyEnrolment } from "#protocol/enrolment";
import { importPublicKey, openIdentity, peerIdOf, PrivateKey, PublicKey } from "#protocol/identity";
import { chargeFor, formatCredits } from "#protocol/microcredits";
import { userIdFrom } from "#protocol/names";
import { hashBody, signProof, verifyProof } from "#protocol/proof";
import { ReceiptClaims, signReceipt, verifyReceipt } from "#protocol/receipt";
import { signTicket, TicketClaims, verifyOwnTicket, verifyTicket } from "#protocol/ticket";

type Operation = (input: unknown) => Promise<unknown>;

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
    return Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
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

  sign_receipt: operation(
    { private_key: PrivateKey, claims: inOrder(ReceiptClaims.omit({ iss: true })) },
    async ({ private_key, claims }) => signReceipt(await openIdentity(private_key), claims),
  ),
  verify_receipt: operation(Issued, (input) =>
    verifyReceipt(input.jws, input.public_key, input.issuer, input.now_ms),
  ),
};

/** Strict, so that a misspelt input is an error of the vector and not a check that never ran. */
function operation<Shape extends z.ZodRawShape>(
  shape: Shape,
  run: (input: z.infer<z.ZodObject<Shape, z.core.$strict>>) => Promise<unknown>,
): Operation {
  const Input = z.strictObject(shape);
  return async (raw) => {
    const input = Input.safeParse(raw);
    return input.success ? run(input.data) : `unfit input: ${z.prettifyError(input.error)}`;
  };
}

/** Checks claims and leaves the order of their fields, which the signature covers. */
function inOrder<Schema extends z.ZodType>(schema: Schema): z.ZodType<z.infer<Schema>> {
  return z.custom<z.infer<Schema>>((value) => schema.safeParse(value).success);
}

function accepts(schema: z.ZodType, value: unknown): "accepted" | "refused" {
  return schema.safeParse(value).success ? "accepted" : "refused";
}
