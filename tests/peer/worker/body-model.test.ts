import * as fc from "fast-check";
import { expect, it } from "vitest";
import { modelOf, modelScanFor } from "#peer/worker/body-model";

const JSON_TYPE = new Headers({ "content-type": "application/json; charset=utf-8" });

function scanned(
  headers: Headers,
  body: Uint8Array,
  cuts: readonly number[] = [],
): string | undefined {
  const scan = modelScanFor(headers) ?? expect.unreachable();
  const at = [0, ...cuts.map((cut) => cut % (body.length + 1)).toSorted((a, b) => a - b)];
  at.forEach((from, index) => scan.feed(body.subarray(from, at[index + 1])));
  return scan.model();
}

it("finds the top-level model of any JSON, however it is cut", () => {
  const key = fc.oneof(fc.constantFrom("model", "mod\\u0065l", "messages", 'a"b'), fc.string());
  const object = fc.array(fc.tuple(key, fc.jsonValue()), { maxLength: 8 }).map((entries) => {
    const fields = entries.map(([name, value]) => {
      const spelled = name === "mod\\u0065l" ? '"mod\\u0065l"' : JSON.stringify(name);
      return `${spelled} : ${JSON.stringify(value)}`;
    });
    return `{${fields.join(" ,\n")}}`;
  });
  fc.assert(
    fc.property(object, fc.array(fc.nat(2_000), { maxLength: 6 }), (text, cuts) => {
      const body = Buffer.from(text);
      const whole = modelOf(JSON_TYPE, body);
      expect(whole).toEqual({ model: scanned(JSON_TYPE, body, cuts) });
    }),
    { numRuns: 500 },
  );
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
])("reads %s", (text, model) => {
  expect(modelOf(JSON_TYPE, Buffer.from(text))).toEqual({ model });
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
  expect(modelOf(headers, body)).toEqual({ model: "org/whisper:1" });
  for (let cut = 0; cut < body.length; cut += 7) {
    expect(scanned(headers, body, [cut, cut + 3])).toBe("org/whisper:1");
  }
});

it("cannot tell the model of what is packed or of another kind", () => {
  const packed = new Headers({ "content-type": "application/json", "content-encoding": "zstd" });
  expect(modelOf(packed, new Uint8Array(3))).toBe("unknown");
  expect(modelOf(new Headers({ "content-type": "audio/wav" }), new Uint8Array(3))).toBe("unknown");
  expect(modelOf(new Headers(), Buffer.from('{"model":"m"}'))).toEqual({ model: "m" });
});
