import { onTestFinished } from "vitest";
import { CoordinatorKey } from "#protocol/register";
import { newPeer as coordinatorPeer } from "#support/test-peer";
import { type Behaviour, type FakeNode, fakeNode, openStream } from "../peer/client/fake-node";
import { send } from "./attack";
import { API_KEY, type Target } from "./target";

/** What passes between a client and a node: the node may change it, as may whoever sits between the two. */
type Passed = {
  readonly t: Target;
  readonly request: Request;
  /** The honest answer to this request. */
  readonly honest: () => Promise<{ readonly headers: Headers; readonly bytes: Buffer }>;
};
export type Lie = (passed: Passed) => Response | Promise<Response>;

const GOOD: Behaviour = () => Response.json({ choices: [{ message: { content: "good" } }] });

/** The same answer in several records. */
export const STREAMED: Behaviour = () => {
  const stream = openStream();
  for (const part of ["one", "two", "three"]) stream.write(`data: {"part":"${part}"}\n\n`);
  stream.write("data: [DONE]\n\n");
  stream.end();
  return stream.response;
};

export type Scene = {
  readonly lie: Lie;
  readonly answer?: Behaviour;
  /** The key that it shows, in the place of its own. */
  readonly key?: (node: FakeNode) => Promise<string> | string;
};

/** A node of the real coordinator's that lies, and a client that asks it; nobody else has the model. */
export async function askLiar(t: Target, { lie, answer = GOOD, key }: Scene): Promise<Response> {
  const publicKey = CoordinatorKey.parse({
    ...t.signer.publicKey,
    kid: t.signer.kid,
    alg: "EdDSA",
    use: "sig",
  });
  const node = await fakeNode({ key: { publicKey }, issuer: t.coordinator }, answer);
  const between = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const sent = new Uint8Array(await request.arrayBuffer());
      const honest = async () => {
        const url = node.url + new URL(request.url).pathname;
        const { method, headers } = request;
        const said = await fetch(url, { method, headers, body: sent });
        return { headers: said.headers, bytes: Buffer.from(await said.arrayBuffer()) };
      };
      return lie({ t, request, honest });
    },
  });
  onTestFinished(() => between.stop(true));
  const peer = await coordinatorPeer(t.coordinator, node.identity);
  const model = `lying/${crypto.randomUUID()}`;
  const beat = await peer.beat(await peer.register(), {
    urls: [`http://127.0.0.1:${between.port}`],
    e2e_key: (await key?.(node)) ?? node.e2eKey,
    models: [{ id: model, engine: "vllm", state: "loaded" }],
  });
  if (!beat.ok) throw new Error(`The heartbeat was answered ${beat.status}.`);
  // A client that has just looked for another model looks again a quarter of a second later.
  for (;;) {
    const answer = await chat(t, model);
    if (answer.status !== 404) return answer;
  }
}

function chat(t: Target, model: string): Promise<Response> {
  const messages = [{ role: "user", content: `secret-${crypto.randomUUID()}` }];
  return send(t, `${t.client}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${API_KEY}` },
    body: JSON.stringify({ model, messages }),
  });
}

/** Sends on what the node said, changed. */
export const changed =
  (change: (bytes: Buffer) => Uint8Array | readonly Uint8Array[]): Lie =>
  async ({ honest }) => {
    const { headers, bytes } = await honest();
    return new Response(Buffer.concat([change(bytes)].flat()), { headers: sealedHeaders(headers) });
  };

export const sealedHeaders = (headers: Headers): Headers => {
  const kept = new Headers(headers);
  kept.delete("content-length");
  kept.delete("transfer-encoding");
  return kept;
};

/** The records of a sealed message, each with the four bytes in front. */
export function records(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 4 + (bytes.readUInt32BE(at) & 0x7fff_ffff);
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

export const flip = (record: Buffer, at: number): Buffer => {
  const bent = Buffer.from(record);
  bent[at] = (bent[at] ?? 0) ^ 1;
  return bent;
};

export const inTheOpen =
  (status: number, headers: Record<string, string>): Lie =>
  () =>
    Response.json({ choices: [{ message: { content: "forged" } }] }, { status, headers });
