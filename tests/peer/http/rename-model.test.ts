import * as fc from "fast-check";
import { expect, it } from "vitest";
import { renameModel } from "#peer/http/rename-model";
import { sha256Base64url } from "#protocol/encoding";

const bytes = (text: string): Buffer => Buffer.from(text);
const JSON_TYPE = new Headers({ "content-type": "application/json" });
const text = (renamed: ReturnType<typeof renameModel>): string | undefined =>
  renamed && new TextDecoder().decode(renamed.body);
const renamed = (body: string, headers = JSON_TYPE): string | undefined =>
  text(renameModel(headers, bytes(body), "team/m", "m"));

it.each([
  [`{"model":"team/m"}`, `{"model":"m"}`],
  [
    `{ "a" : [ {"model":"team/m"} ], "model" :\n"team/m" }`,
    `{ "a" : [ {"model":"team/m"} ], "model" :\n"m" }`,
  ],
  [`{"x":"\\"","model":"team\\/m","y":"é\\\\"}`, `{"x":"\\"","model":"m","y":"é\\\\"}`],
  [`{"m\\u006fdel":"te\\u0061m/m"}`, `{"m\\u006fdel":"m"}`],
  // What some engine would take for the model has to say the same.
  [`{"Model":"team/m","model":"team/m"}`, `{"Model":"m","model":"m"}`],
  [
    `{"messages":[{"content":"\\"model\\":\\"team/m\\""}],"model":"team/m"}`,
    `{"messages":[{"content":"\\"model\\":\\"team/m\\""}],"model":"m"}`,
  ],
])("changes the model's name and nothing else: %s", (body, expected) => {
  expect(renamed(body)).toBe(expected);
});

it.each([
  `{"model":"other"}`,
  `{"model":7}`,
  `["model","team/m"]`,
  `{"a":{"model":"team/m"}}`,
  "",
  `{"model":"team/m`,
])("finds no model to change in %s", (body) => expect(renamed(body)).toBeUndefined());

it("leaves a packed body alone", () => {
  const headers = new Headers({ "content-encoding": "gzip" });
  expect(renamed(`{"model":"team/m"}`, headers)).toBeUndefined();
});

it("changes a form's field, wherever it stands", () => {
  const form = (model: string): string =>
    `--B\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n\r\nteam/m\r\n` +
    `--B\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n--B--\r\n`;
  const headers = new Headers({ "content-type": "multipart/form-data; boundary=B" });
  expect(renamed(form("team/m"), headers)).toBe(form("m"));
  expect(renamed(form("other"), headers)).toBeUndefined();
});

it("says the hash of what it made", async () => {
  const made = renameModel(JSON_TYPE, bytes(`{"model":"team/m"}`), "team/m", "m");
  expect(made?.hash).toBe(await sha256Base64url(`{"model":"m"}`));
});

it("any object keeps all but its model", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (rest, model) => {
      const others = Object.fromEntries(
        Object.entries(rest).filter(([key]) => key.toLowerCase() !== "model"),
      );
      const body = bytes(JSON.stringify({ ...others, model, z: [model, { model }] }));
      const made = renameModel(JSON_TYPE, body, model, "new");
      expect(JSON.parse(text(made) ?? "")).toEqual(
        JSON.parse(JSON.stringify({ ...others, model: "new", z: [model, { model }] })),
      );
    }),
  );
});
