import * as fc from "fast-check";
import { expect, it } from "vitest";
import { modelOf, modelScanFor } from "#peer/http/model-in-body";
import type { ModelScan } from "#peer/http/model-scan";

const JSON_TYPE = new Headers({ "content-type": "application/json; charset=utf-8" });

function scannedOf(headers: Headers, body: Uint8Array, cuts: readonly number[]): ModelScan {
  const scan = modelScanFor(headers) ?? expect.unreachable();
  const at = [0, ...cuts.map((cut) => cut % (body.length + 1)).toSorted((a, b) => a - b)];
  at.forEach((from, index) => scan.feed(body.subarray(from, at[index + 1])));
  return scan;
}

function scanned(headers: Headers, body: Uint8Array, cuts: readonly number[] = []) {
  return scannedOf(headers, body, cuts).model();
}

function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}

it("finds the top-level model of any JSON as a parser does, however it is spelled and cut", () => {
  const key = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("model", "Model", "MODEL", "messages", 'a"b') },
    fc.string(),
    fc.integer({ min: 2_000, max: 3_000 }).map((length) => "k".repeat(length)),
    fc.constant(`model${" ".repeat(3_000)}`),
  );
  const value = fc.oneof(
    fc.constantFrom("a", "b", "é日🙂", null, 5, { model: "x" }, ["model", "x"], "x".repeat(3_000)),
    fc.jsonValue(),
  );
  const field = fc.tuple(key, value, fc.boolean()).map(([name, content, isEscaped]) => {
    const spelled = isEscaped ? `"${escaped(name)}"` : JSON.stringify(name);
    return `${spelled} : ${JSON.stringify(content)}`;
  });
  const object = fc.array(field, { maxLength: 8 }).map((fields) => `{${fields.join(" ,\n")}}`);
  fc.assert(
    fc.property(object, fc.array(fc.nat(20_000), { maxLength: 6 }), (text, cuts) => {
      const body = Buffer.from(text);
      const scan = scannedOf(JSON_TYPE, body, cuts);
      const fields = new Map<string, unknown>(Object.entries(JSON.parse(text)));
      const expected = fields.get("model");
      // A name that is longer than any is none to the scan, which keeps no more of it.
      const isName = typeof expected === "string" && expected.length < 2_048;
      expect(scan.model()).toBe(isName ? expected : undefined);
      if (!isName) return;
      const others = [...fields].filter(([name]) => name.toLowerCase() === "model");
      const isAmbiguous = others.some(([, other]) => other !== expected);
      expect(scan.isAmbiguous()).toBe(isAmbiguous);
      expect(modelOf(JSON_TYPE, body)).toEqual({ model: expected, isAmbiguous });
    }),
    { numRuns: 1_000 },
  );
});

it("a key that is too long to be kept does not hand its value to the key before it", () => {
  const text = `{"model":"a","${"k".repeat(3_000)}":"b"}`;
  expect(scanned(JSON_TYPE, Buffer.from(text))).toBe("a");
});

it("takes no model from a body of more than one value: an engine may read the first only", () => {
  for (const text of ['{"model":"a"}{"model":"b"}', '{"model":"a"} 5', '[]{"model":"b"}']) {
    expect(scanned(JSON_TYPE, Buffer.from(text)), text).toBeUndefined();
    expect(modelOf(JSON_TYPE, Buffer.from(text)), text).toMatchObject({ model: undefined });
  }
  expect(scanned(JSON_TYPE, Buffer.from(' {"model":"a"}\r\n'))).toBe("a");
});

it.each([
  ['{"model":"a/b:c"}', "a/b:c"],
  ['{"messages":[{"model":"x"}],"model":"é日🙂"}', "é日🙂"],
  ['{"model":"first","model":"last"}', "last"],
  ['{"model":"x","model":null}', undefined],
  ['{"text":"\\"model\\":\\"x\\"","model":"\\u0061"}', "a"],
  ['{"messages":[]}', undefined],
  ['["model","x"]', undefined],
  ["no json", undefined],
  ['{"model":"m","messages":[{"content":"cut o', undefined],
  ['{"model":"m","messages":[{"content":"closed"}', undefined],
  ['{"model":"m","messages":[}', undefined],
  ['{"model":"m"', undefined],
])("reads %s", (text, model) => {
  expect(modelOf(JSON_TYPE, Buffer.from(text))).toMatchObject({ model });
  expect(scanned(JSON_TYPE, Buffer.from(text), [1, 5, 9])).toBe(model);
});

it("finds a form's model behind a file, whatever the file holds", async () => {
  const file = new File(
    ['x\r\nContent-Disposition: form-data; name="model"\r\n\r\nfake\r\n--', new Uint8Array(5_000)],
    "a.wav",
  );
  const form = new FormData();
  form.append("file", file);
  form.append("model", "org/whisper:1");
  form.append("language", "de");
  const request = new Response(form);
  const headers = new Headers({ "content-type": request.headers.get("content-type") ?? "" });
  const body = new Uint8Array(await request.arrayBuffer());
  expect(modelOf(headers, body)).toMatchObject({ model: "org/whisper:1" });
  for (let cut = 0; cut < body.length; cut += 7) {
    expect(scanned(headers, body, [cut, cut + 3])).toBe("org/whisper:1");
  }
});

it("cannot tell the model of what is packed or of another kind", () => {
  const packed = new Headers({ "content-type": "application/json", "content-encoding": "zstd" });
  expect(modelOf(packed, new Uint8Array(3))).toBe("unknown");
  expect(modelOf(new Headers({ "content-type": "audio/wav" }), new Uint8Array(3))).toBe("unknown");
  expect(modelOf(new Headers(), Buffer.from('{"model":"m"}'))).toMatchObject({ model: "m" });
});
