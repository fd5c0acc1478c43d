import { generatePrivateKey, type Identity, openIdentity } from "#protocol/identity";
import { hashBody, PROOF_HEADER, signProof } from "#protocol/proof";
import { Registration } from "#protocol/register";
import { ENROLMENT_HEADER } from "#protocol/enrolment";
import type { Heartbeat } from "#protocol/heartbeat";

export type Call = {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Parts of the proof to get wrong on purpose. */
  readonly proof?: {
    readonly audience?: string;
    readonly method?: string;
    readonly target?: string;
    readonly bodyHash?: string;
    readonly nowMs?: number;
    readonly jti?: string;
    readonly identity?: Identity;
  };
};

/** A peer that speaks to a coordinator in raw requests, so that tests can also say wrong things. */
export type TestPeer = {
  readonly identity: Identity;
  readonly call: (target: string, call?: Call) => Promise<Response>;
  readonly register: () => Promise<Registration>;
  readonly beat: (registration: Registration, beat?: Partial<Heartbeat>) => Promise<Response>;
};

/** `known`: who it is; somebody new unless a test wants another. */
export async function newPeer(baseUrl: string, known?: Identity): Promise<TestPeer> {
  const identity = known ?? (await openIdentity(await generatePrivateKey()));
  const call = async (target: string, { method, body, headers, proof = {} }: Call = {}) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const verb = method ?? (body === undefined ? "GET" : "POST");
    const signed = await signProof(
      proof.identity ?? identity,
      {
        audience: proof.audience ?? baseUrl,
        method: proof.method ?? verb,
        target: proof.target ?? target,
        bodyHash: proof.bodyHash ?? (await hashBody(text)),
      },
      proof.jti ?? crypto.randomUUID(),
      proof.nowMs ?? Date.now(),
    );
    return fetch(baseUrl + target, {
      method: verb,
      headers: { "content-type": "application/json", [PROOF_HEADER]: signed, ...headers },
      ...(text !== undefined && { body: text }),
    });
  };
  return {
    identity,
    call,
    register: async () => {
      const answer = await call("/register", { body: {} });
      if (answer.status !== 200) throw new Error(`Registering answered ${answer.status}.`);
      return Registration.parse(await answer.json());
    },
    beat: (registration, beat = {}) =>
      call("/heartbeat", {
        headers: { [ENROLMENT_HEADER]: registration.enrolment },
        body: {
          state: "serving",
          urls: ["http://127.0.0.1:8080"],
          e2e_key: "the.nodes.key",
          models: [{ id: "org/model:tag", engine: "ollama", state: "loaded" }],
          withdrawn: [],
          running: 0,
          waiting: 0,
          concurrency: 4,
          version: "0.1.0",
          ...beat,
        } satisfies Heartbeat,
      }),
  };
}
