import { expect, it } from "vitest";
import { columns, table } from "#peer/cli/columns";

it("aligns columns by what a terminal shows", () => {
  expect(
    columns([
      ["a", "b"],
      ["模型", "c"],
    ]),
  ).toBe("a     b\n模型  c\n");
});

it("keeps a row on its line and control characters out, whatever the network sends", () => {
  const text = table(["MODEL"], [["evil\n\u001b[2Jname\u202e"], ["x".repeat(500)]]);
  expect(text.split("\n")).toHaveLength(4);
  expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});
