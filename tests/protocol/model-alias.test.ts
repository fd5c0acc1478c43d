import { expect, it } from "vitest";
import { ModelAliases, parseAlias } from "#protocol/model-alias";

it("reads a name and the model behind it", () => {
  expect(parseAlias("gpt-4o-mini=llama3.1:8b")).toEqual(["gpt-4o-mini", "llama3.1:8b"]);
  expect(parseAlias(" a = org/model=1 ")).toEqual(["a", "org/model=1"]);
});

it.each(["", "a", "=a", "a=", "a=\u0000", `${"a".repeat(257)}=b`])(
  "takes %j for no alias",
  (text) => {
    expect(parseAlias(text)).toBeUndefined();
  },
);

it("holds 64 at most", () => {
  const of = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`a${at}`, "m"]));
  expect(ModelAliases.safeParse(of(64)).success).toBe(true);
  expect(ModelAliases.safeParse(of(65)).success).toBe(false);
});
