import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { freePort } from "#support/free-port";
import { startNetwork, type TestNetwork } from "#support/network";
import { withoutLastWords } from "#support/last-words";

/** Everything that passed between client and node, both ways. */
const passed: Buffer[] = [];
const sockets = new Set<Socket>();
let nodePort: number;
let engine: DemoEngine;
let network: TestNetwork;

const listener = createServer((client) => {
  const node = connect(nodePort, "127.0.0.1");
  for (const [from, to] of [
    [client, node],
    [node, client],
  ] as const) {
    sockets.add(from);
    from.on("error", () => {});
    from.on("data", (bytes: Buffer) => {
      passed.push(Buffer.from(bytes));
      to.write(bytes);
    });
    from.once("close", () => to.destroy());
  }
});

beforeAll(async () => {
  nodePort = await freePort();
  await new Promise<void>((listening) => void listener.listen(0, "127.0.0.1", listening));
  const { port } = listener.address() as AddressInfo;
  engine = startDemoEngine({ voice: "ollama", deterministic: true });
  network = await startNetwork({
    engineUrl: engine.url,
    nodePort,
    workerArgs: ["--advertise", `http://127.0.0.1:${port}`],
  });
});

afterAll(async () => {
  await network.stop();
  await engine.close();
  for (const socket of sockets) socket.destroy();
  listener.close();
});

it("shows who listens between client and node nothing of what is asked and answered", async () => {
  const model = engine.models().find(({ kind }) => kind === "chat")?.id ?? "";
  const secret = "a-word-that-nobody-else-would-say";
  const messages = [{ role: "user", content: secret }];
  const ask = async (stream: boolean): Promise<string> => {
    const answer = await fetch(`${network.baseUrl}/v1/chat/completions?${secret}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-secret": secret },
      body: JSON.stringify({ model, messages, stream }),
    });
    expect(answer.status).toBe(200);
    return answer.text();
  };
  const whole = JSON.parse(await ask(false)) as { choices: { message: { content: string } }[] };
  const said = whole.choices[0]?.message.content ?? "";
  expect(said.length).toBeGreaterThan(20);
  expect(withoutLastWords(await ask(true))).toMatch(/data: \[DONE\]\n\n$/);
  expect(engine.journal.entries().some(({ path }) => path.includes(secret))).toBe(true);

  const seen = Buffer.concat(passed).toString("latin1");
  expect(seen).toContain("POST /v1/sealed HTTP/1.1");
  const words = said.split(" ").filter((word) => word.length > 6);
  for (const part of [
    secret,
    said,
    ...words,
    "chat/completions",
    "choices",
    "[DONE]",
    "messages",
  ]) {
    expect(seen.includes(part), part).toBe(false);
  }
});
