import { PROBLEMS, type Problem, type ProblemCode } from "#protocol/problem";
import { hashBody, PROOF_HEADER, type ProofRefusal, verifyProof } from "#protocol/proof";
import type { Registration } from "#protocol/register";

export type SeenCall = {
  readonly method: string;
  /** Path and query below the prefix. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: string;
  readonly peerId: string;
  readonly jti: string;
};
export type Answer = (call: SeenCall) => Response | Promise<Response>;

export type FakeCoordinator = AsyncDisposable & {
  readonly baseUrl: string;
  readonly seen: readonly SeenCall[];
  /** By `METHOD /path`, without the query. */
  readonly answers: Record<string, Answer>;
};

/** A coordinator that checks each proof as the real one does, and answers what the test says. */
export function fakeCoordinator(
  answers: Record<string, Answer> = {},
  options: { readonly prefix?: string; readonly nowMs?: () => number } = {},
): FakeCoordinator {
  const { prefix = "", nowMs = Date.now } = options;
  const seen: SeenCall[] = [];
  const spent = new Set<string>();

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname + url.search;
    if (!path.startsWith(`${prefix}/`)) return new Response("outside the prefix", { status: 404 });
    const target = path.slice(prefix.length);
    const body = await request.text();
    const proof = await verifyProof(
      request.headers.get(PROOF_HEADER) ?? "",
      { audience: baseUrl, method: request.method, target, bodyHash: await hashBody(body) },
      nowMs(),
    );
    if (!proof.ok) return problem(codeOf(proof.reason));
    const { jti, iss: peerId } = proof.value;
    if (spent.has(jti)) return problem("proof_replayed");
    spent.add(jti);
    const call = { method: request.method, target, headers: request.headers, body, peerId, jti };
    seen.push(call);
    const answer = answers[`${request.method} ${url.pathname.slice(prefix.length)}`];
    return answer === undefined ? problem("not_found") : answer(call);
  }

  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handle });
  const baseUrl = `http://127.0.0.1:${server.port}${prefix}`;
  return { baseUrl, seen, answers, [Symbol.asyncDispose]: () => server.stop(true) };
}

export function problem(
  code: ProblemCode,
  more: Partial<Problem> = {},
  headers: Record<string, string> = {},
): Response {
  const [status, title] = PROBLEMS[code];
  const body: Problem = { type: "about:blank", title, status, code, requestId: "req_1", ...more };
  return Response.json(body, {
    status,
    headers: { "content-type": "application/problem+json", ...headers },
  });
}

/** A registration good for `leftS` seconds. */
export function registrationOf(
  peerId: string,
  nowMs: number,
  leftS: number = 24 * 60 * 60,
): Registration {
  return {
    peer_id: peerId,
    user_id: `usr_${"0".repeat(26)}`,
    memberships: [],
    networks: ["public"],
    issuer: "https://troop.example",
    jwks: {
      keys: [
        { kty: "OKP", crv: "Ed25519", x: "A".repeat(43), kid: "key-1", alg: "EdDSA", use: "sig" },
      ],
    },
    enrolment: "header.claims.signature",
    enrolment_expires_at: Math.floor(nowMs / 1_000) + leftS,
    rate: 1_000_000,
    allowed_ranges: ["127.0.0.0/8"],
  };
}

function codeOf(reason: ProofRefusal["reason"]): ProblemCode {
  return reason === "expired" || reason === "clock_ahead" ? "clock_skew" : "proof_invalid";
}
