import { expect, it } from "vitest";
import { startWarm } from "./client-under-test";
import { openStream, type OpenStream } from "./fake-node";
import http from "node:http";
import { CHAT, chatBody } from "./client-under-test";
import { withoutLastWords } from "#support/last-words";

const STREAMS = 1_000;

/** One stream as an app sees it. `fetch` would not do: Bun lets 256 run at once. */
function stream(url: string, agent: http.Agent, onFirst: () => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      url + CHAT,
      { method: "POST", agent, headers: { "content-type": "application/json" } },
      (message) => {
        let text = "";
        message.once("data", onFirst);
        message.on("data", (chunk: Buffer) => (text += chunk.toString()));
        message.on("end", () => resolve(text));
        message.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(chatBody({ stream: true }));
  });
}

it("carries a thousand streams at the same moment, none of them waiting for another", async () => {
  const streams: OpenStream[] = [];
  const { client } = await startWarm(() => {
    const opened = openStream();
    opened.write("data: 1\n\n");
    streams.push(opened);
    return opened.response;
  });
  const agent = new http.Agent({ maxSockets: Infinity });
  const allBegun = Promise.withResolvers<void>();
  let begun = 0;
  const texts = Array.from({ length: STREAMS }, () =>
    stream(client.url, agent, () => {
      begun += 1;
      if (begun === STREAMS) allBegun.resolve();
    }),
  );
  // Every one has its first piece while none has ended.
  await Promise.race([allBegun.promise, Promise.all(texts)]);
  expect(streams).toHaveLength(STREAMS);
  for (const opened of streams) {
    opened.write("data: [DONE]\n\n");
    opened.end();
  }
  const whole = "data: 1\n\ndata: [DONE]\n\n";
  expect((await Promise.all(texts)).filter((text) => withoutLastWords(text) !== whole)).toEqual([]);
});
