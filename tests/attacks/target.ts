import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { z } from "zod";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { troopBinary } from "#support/troop-binary";
import { keyFromSeed, type VectorKey } from "#support/vector-keys";

const ROOT = resolve(import.meta.dirname, "../..");
export const API_KEY = "sk-of-the-apps-0123456789";

/** What is attacked: each a process of its own, the shipped bundle and the compiled binary, all that they say kept. */
export type Target = {
  readonly coordinator: string;
  readonly node: string;
  readonly nodeId: string;
  /** What is sealed for the node is sealed for this key; base64url. */
  readonly nodeKey: string;
  /** The one that the node lends. */
  readonly model: string;
  readonly client: string;
  readonly password: string;
  /** The key that signs tickets, and its id: for what only the coordinator could sign, and another use of it. */
  readonly signer: VectorKey & { readonly kid: string };
  /** Whatever was sent that nobody may repeat. */
  readonly secrets: Set<string>;
  readonly said: () => string;
  readonly stop: () => Promise<void>;
};

const SigningKeys = z.tuple([z.object({ d: z.string(), kid: z.string() })]);
const Identity = z.object({ d: z.string() });
const SealingKey = z.object({ x: z.string(), d: z.string() });

export async function startTarget(): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "troop-attacks-"));
  const engine: DemoEngine = startDemoEngine({ voice: "ollama", deterministic: true });
  const running: Running[] = [];
  const stop = async () => {
    for (const one of running.toReversed()) await one.stop();
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const start = async (args: string[], env: Record<string, string>) => {
    const one = run(args, env);
    running.push(one);
    return one.url;
  };
  try {
    const data = join(folder, "coordinator");
    const coordinator = await start(
      [process.execPath, join(ROOT, "self-host/main.ts"), "--port", "0", "--data", data],
      { ALLOWED_RANGES: "127.0.0.0/8", REGISTRATIONS_PER_HOUR: "100000" },
    );
    const binary = await troopBinary();
    const troop = (name: string, args: string[], env: Record<string, string> = {}) =>
      start([binary, ...args, "--coordinator", coordinator, "--home", join(folder, name)], env);
    const [node, client] = await Promise.all([
      troop("node", ["worker", "--listen", "127.0.0.1:0", "--engine", engine.url]),
      troop("client", ["client", "--port", "0", "--no-local"], { TROOP_API_KEY: API_KEY }),
    ]);
    const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");
    const [signing] = SigningKeys.parse(JSON.parse(read("coordinator", "signing-keys.json")));
    const identity = Identity.parse(JSON.parse(read("node", "identity.json")));
    const sealing = SealingKey.parse(JSON.parse(read("node", "e2e-key.json")));
    const password = read("coordinator", "admin-password");
    return {
      coordinator,
      node,
      nodeId: keyFromSeed(Buffer.from(identity.d, "base64url")).peerId,
      nodeKey: sealing.x,
      model: engine.models()[0]?.id ?? "",
      client: client.replace(/\/v1$/, ""),
      password,
      signer: { ...keyFromSeed(Buffer.from(signing.d, "base64url")), kid: signing.kid },
      secrets: new Set([password, API_KEY, signing.d, identity.d, sealing.d]),
      said: () => running.map((one) => one.said()).join("\n"),
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

type Running = {
  /** Where it listens, once it says so. */
  readonly url: Promise<string>;
  readonly said: () => string;
  readonly stop: () => Promise<void>;
};

function run(args: string[], env: Record<string, string>): Running {
  const child = Bun.spawn(args, {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const url = new Promise<string>((found, failed) => {
    const keep = async (stream: ReadableStream<Uint8Array>, isOut: boolean) => {
      const decoder = new TextDecoder();
      for await (const chunk of stream) {
        text += decoder.decode(chunk, { stream: true });
        const said = isOut ? /(http:\/\/[^\s]+?)[.,)]?\s/.exec(text)?.[1] : undefined;
        if (said !== undefined) found(said);
      }
    };
    const kept = [keep(child.stdout, true), keep(child.stderr, false)];
    void Promise.all(kept).then(() => failed(new Error(`${args[0]} ended: ${text}`)));
  });
  return {
    url,
    said: () => text,
    stop: async () => {
      child.kill("SIGTERM");
      await child.exited;
    },
  };
}
