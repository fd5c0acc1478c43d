import fc from "fast-check";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { expect, it } from "vitest";
import { namedModel } from "#peer/client/app/named-model";

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text));
}

const JSON_TYPE = new Headers({ "content-type": "application/json" });

function modelByParsing(text: string): string | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { model } = value as { model?: unknown };
  return typeof model === "string" ? model : undefined;
}

it("finds what parsing finds, in any JSON", async () => {
  const nasty = fc.constantFrom("model", 'a"model":"b', "\\", '\\"', "{", "}", "é🙂", "\u2028", "");
  const key = fc.oneof(nasty, fc.string());
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      nasty,
      fc.double({ noDefaultInfinity: true, noNaN: true }),
      fc.constantFrom(null, true, false),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    ),
  }));
  const body = fc.oneof(
    value,
    fc.record({ messages: value, model: fc.oneof(fc.string(), nasty, value), after: value }),
  );
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(0, 1, 3), async (given, spaces) => {
      const text = JSON.stringify(given, null, spaces);
      expect(await namedModel(JSON_TYPE, bytes(text))).toBe(modelByParsing(text));
    }),
    { numRuns: 1_000 },
  );
});

it("takes the last of two models, as parsers do, and a key written with escapes", async () => {
  expect(await namedModel(JSON_TYPE, bytes('{"model":"a","model":"b"}'))).toBe("b");
  expect(await namedModel(JSON_TYPE, bytes('{"model":"a","model":7}'))).toBeUndefined();
  expect(await namedModel(JSON_TYPE, bytes('{"\\u006dodel":"a\\/b\\n"}'))).toBe("a/b\n");
});

it.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
] as const)("finds it in a body packed with %s", async (encoding, pack) => {
  const headers = new Headers({ "content-type": "application/json", "content-encoding": encoding });
  const text = JSON.stringify({ messages: "x".repeat(300_000), model: "m" });
  expect(await namedModel(headers, Uint8Array.from(pack(text)))).toBe("m");
  expect(await namedModel(headers, bytes(text))).toBeUndefined();
});

it("does not unpack without end", async () => {
  const headers = new Headers({ "content-type": "application/json", "content-encoding": "gzip" });
  const bomb = gzipSync(
    Buffer.concat([Buffer.alloc(300 * 1_024 * 1_024, " "), Buffer.from('{"model":"m"}')]),
    { level: 1 },
  );
  expect(await namedModel(headers, Uint8Array.from(bomb))).toBeUndefined();
});

it("takes for JSON what has no type, or a form's type and a brace", async () => {
  const body = bytes('{"model":"m"}');
  expect(await namedModel(new Headers(), body)).toBe("m");
  const form = new Headers({ "content-type": "application/x-www-form-urlencoded" });
  expect(await namedModel(form, body)).toBe("m");
  expect(await namedModel(form, bytes("model=m"))).toBeUndefined();
});

it("gives way to others while it reads a large body", async () => {
  const body = bytes(JSON.stringify({ text: "line\n".repeat(1_000_000), model: "m" }));
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 0);
  expect(await namedModel(JSON_TYPE, body)).toBe("m");
  clearInterval(counting);
  expect(turns).toBeGreaterThan(0);
});
