import type { Machine } from "./machine";
import { type Figure, ratioOf, verdictOf } from "./part";

export type Measured = { readonly part: string; readonly figures: readonly Figure[] };

const HEADINGS = ["part", "figure", "target", "measured", "ratio", "result", "note"];

/** A table in Markdown, whose columns also line up as plain text. */
export function renderTable(measured: readonly Measured[]): string {
  const rows = measured.flatMap(({ part, figures }) =>
    figures.map((figure) => [
      part,
      figure.name,
      targetText(figure),
      figure.measured === null ? "unknown" : `${rounded(figure.measured)} ${figure.unit}`.trim(),
      ratioText(ratioOf(figure)),
      RESULTS[verdictOf(figure)],
      figure.note ?? "",
    ]),
  );
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`.trimEnd();
  const rule = line(widths.map((width) => "-".repeat(width)));
  return `${[line(HEADINGS), rule, ...rows.map(line)].join("\n")}\n`;
}

export function renderMachine({
  cpu,
  cores,
  memoryGib,
  system,
  bun,
  loadAverage,
}: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, Bun ${bun}; load average before: ${loadAverage.toFixed(2)}\n`;
}

/** The misses in words: a benchmark that misses ends well, but never silently. */
export function renderVerdict(measured: readonly Measured[]): string {
  const all = measured.flatMap(({ part, figures }) =>
    figures.map((figure) => ({ name: `${part}: ${figure.name}`, verdict: verdictOf(figure) })),
  );
  const named = (wanted: string) => all.filter(({ verdict }) => verdict === wanted);
  const misses = named("miss");
  const judged = misses.length + named("pass").length;
  const unknown = named("unknown").length;
  const rest = unknown === 0 ? "" : ` ${unknown} could not be measured here.`;
  if (misses.length === 0) return `All ${judged} targets are met.${rest}\n`;
  const lines = misses.map(({ name }) => `  ${name}\n`).join("");
  return `MISSED: ${misses.length} of ${judged} targets.${rest}\n${lines}`;
}

const RESULTS = { pass: "pass", miss: "MISS", info: "-", unknown: "unknown" } as const;

function targetText({ target, unit }: Figure): string {
  if (target === undefined) return "-";
  return "atMost" in target
    ? `≤ ${target.atMost} ${unit}`.trim()
    : `≥ ${target.atLeast} ${unit}`.trim();
}

function ratioText(ratio: number | null): string {
  return ratio === null ? "-" : `${ratio.toFixed(2)}×`;
}

function rounded(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
