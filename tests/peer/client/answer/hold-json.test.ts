import { expect, it } from "vitest";
import { holdJson, isHalfJson } from "#peer/client/answer/hold-json";
import { createAnswer } from "#peer/http/answer";
import { fakeClock } from "../../worker/fake-clock";
import { clientNetwork, startWarm } from "../client-under-test";
import { openStream } from "../fake-node";
import { handlerFor } from "../handler-under-test";

async function startHalf() {
  const { network, node, client } = await startWarm();
  const half = openStream("application/json");
  node.answer = () => half.response;
  const before = node.seen.all.length;
  const posted = client.post();
  half.write('{"half":');
  await node.seen.until((request) => node.seen.all.indexOf(request) >= before);
  return { network, node, client, half, posted };
}

/** An answer that comes as the test says. */
function coming(contentType: string = "application/json; charset=utf-8") {
  const connection = { pause() {}, resume() {}, close() {} };
  const headers: [string, string][] = [["content-type", contentType]];
  const incoming = createAnswer({ status: 200, headers, keepsAlive: true }, connection);
  return {
    answer: incoming.answer,
    say: (text: string) => incoming.onBody(Buffer.from(text)),
    over: (isWhole: boolean) => incoming.onOver(isWhole),
  };
}

it("holds JSON until it is whole", async () => {
  const { answer, say, over } = coming();
  say('{"half":');
  expect(isHalfJson(answer)).toBe(true);
  let heard = 0;
  const held = holdJson(answer, () => (heard += 1));
  say("true}");
  over(true);
  const whole = (await held) ?? expect.unreachable();
  expect([whole.isWhole, heard, isHalfJson(whole)]).toEqual([true, 2, false]);
});

it("has nothing to give where JSON broke off", async () => {
  const { answer, say, over } = coming();
  say('{"half":');
  const held = holdJson(answer, () => {});
  over(false);
  expect(await held).toBeUndefined();
});

it("holds nothing else, and no JSON that is whole", () => {
  expect(isHalfJson(coming("text/event-stream").answer)).toBe(false);
  const { answer, say, over } = coming();
  say("{}");
  over(true);
  expect(isHalfJson(answer)).toBe(false);
});

it("gives the app JSON that came in pieces as it is", async () => {
  const { half, posted } = await startHalf();
  half.write("true");
  half.write("}");
  half.end();
  const answer = await posted;
  expect([answer.status, await answer.text()]).toEqual([200, '{"half":true}']);
});

it("says what JSON in pieces cost, and takes none of the node's time for its own", async () => {
  const network = await clientNetwork();
  const half = openStream("application/json");
  const node = await network.addNode(() => half.response);
  const clock = fakeClock();
  const { post } = await handlerFor(network, {}, {}, clock);
  const posted = post();
  half.write('{"half":');
  await node.seen.until(() => true);
  clock.advance(60_000);
  half.write("true}");
  half.end();
  const { headers } = await posted;
  expect(headers.get("x-troop-overhead-ms")).toBe("0.00");
  expect(headers.get("x-troop-credits")).toBe("60");
});

it("passes long JSON on as it comes", async () => {
  const { half, posted } = await startHalf();
  half.write(`"${"x".repeat(100_000)}`);
  const answer = await posted;
  const reader = (answer.body ?? expect.unreachable()).getReader();
  const { value } = await reader.read();
  expect(Buffer.from(value ?? []).toString()).toMatch(/^\{"half":"x/);
  half.write('"}');
  half.end();
  let bytes = value?.length ?? 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.length;
  }
  expect(bytes).toBe('{"half":"'.length + 100_000 + '"}'.length);
});

it("breaks the connection where long JSON breaks off", async () => {
  const { half, posted } = await startHalf();
  half.write(`"${"x".repeat(100_000)}`);
  const answer = await posted;
  half.reset();
  await expect(answer.text()).rejects.toThrow();
});

it("leaves the node when the app leaves while an answer is held", async () => {
  const { network, node, client } = await startWarm();
  const half = openStream("application/json");
  node.answer = () => half.response;
  half.write('{"half":');
  const leaving = new AbortController();
  const before = node.seen.all.length;
  const posted = client.post({ signal: leaving.signal }).catch((error: unknown) => error);
  const seen = await node.seen.until((one) => node.seen.all.indexOf(one) >= before);
  leaving.abort();
  expect(await posted).toBeInstanceOf(Error);
  await expect.poll(() => seen.left.aborted).toBe(true);
  const ack = await network.acks.until(({ seq }) => seq === seen.seq);
  expect(ack.outcome).toBe("cancelled");
});
