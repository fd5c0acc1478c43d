import { expect, it } from "vitest";
import { createBodyBudget } from "#peer/client/app/body-budget";
import { hashBody } from "#protocol/proof";

function posted(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/", { method: "POST", body, headers });
}

function inPieces(...pieces: readonly (string | Error)[]): ReadableStream<Uint8Array> {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece === undefined) controller.close();
      else if (typeof piece === "string") controller.enqueue(Buffer.from(piece));
      else controller.error(piece);
    },
  });
}

it("reads a body whole, with its hash, however it comes", async () => {
  const bodies = createBodyBudget();
  for (const body of ["", "abcdef", inPieces("ab", "", "cdef")]) {
    const held = await bodies.read(posted(body));
    if (!held.ok) throw new Error(held.reason);
    const text = Buffer.from(held.value.bytes).toString();
    expect(["", "abcdef"]).toContain(text);
    expect(held.value.hash).toBe(await hashBody(text));
  }
});

it("reads a body that is announced, small or large", async () => {
  const bodies = createBodyBudget();
  for (const length of [1, 1_000, 300 * 1_024]) {
    const body = "x".repeat(length);
    const held = await bodies.read(posted(body, { "content-length": String(length) }));
    if (!held.ok) throw new Error(held.reason);
    expect(Buffer.from(held.value.bytes).toString()).toBe(body);
    expect(held.value.hash).toBe(await hashBody(body));
  }
});

it("refuses what is too large, announced or not", async () => {
  const bodies = createBodyBudget({ mostBytes: 5 });
  expect(await bodies.read(posted("abcde"))).toMatchObject({ ok: true });
  expect(await bodies.read(posted(inPieces("abc", "def")))).toMatchObject({ reason: "too_large" });
  const announced = posted("a", { "content-length": "6" });
  expect(await bodies.read(announced)).toMatchObject({ reason: "too_large" });
  const longer = posted("abcdef", { "content-length": "1" });
  expect(await bodies.read(longer)).toMatchObject({ reason: "too_large" });
});

it("bounds what is held at a time, and takes more once some is released", async () => {
  const bodies = createBodyBudget({ mostAtOnce: 10 });
  const first = await bodies.read(posted("abcdef"));
  if (!first.ok) throw new Error(first.reason);
  expect(await bodies.read(posted(inPieces("abc", "def")))).toMatchObject({ reason: "too_many" });
  const announced = posted("a", { "content-length": "6" });
  expect(await bodies.read(announced)).toMatchObject({ reason: "too_many" });
  first.value.release();
  first.value.release();
  expect(await bodies.read(posted("abcdef"))).toMatchObject({ ok: true });
  expect(await bodies.read(posted("abcdef"))).toMatchObject({ reason: "too_many" });
});

it("gives back what a body took that did not arrive whole", async () => {
  const bodies = createBodyBudget({ mostAtOnce: 10 });
  const broken = posted(inPieces("abcdef", new Error("left")));
  expect(await bodies.read(broken)).toMatchObject({ reason: "broken" });
  expect(await bodies.read(posted("abcdefghij"))).toMatchObject({ ok: true });
});

it("refuses what it could not hold before any of it is sent", async () => {
  const bodies = createBodyBudget({ mostAtOnce: 5 });
  const neverComes = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
  const announced = posted(neverComes, { "content-length": "6" });
  expect(await bodies.read(announced)).toEqual({ ok: false, reason: "too_many" });
});
