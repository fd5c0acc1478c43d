import { columns } from "../cli/columns";

const WIDTH = 32;
/** Eighths of a cell, from one to eight. */
const EIGHTHS = ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];

export type Bar = { readonly name: string; readonly value: number };

/** Bars of numbers that are not negative, the longest as wide as the chart. */
export function barChart(bars: readonly Bar[]): string {
  const most = Math.max(...bars.map(({ value }) => value));
  return columns(
    bars.map(({ name, value }) => [
      `  ${name}`,
      `${value.toFixed(2)}x`.padStart(6),
      most > 0 ? bar(value / most) : "",
    ]),
  );
}

function bar(part: number): string {
  const eighths = Math.round(part * WIDTH * 8);
  const rest = eighths % 8;
  return (
    EIGHTHS.at(-1)?.repeat(Math.floor(eighths / 8)) + (rest > 0 ? (EIGHTHS[rest - 1] ?? "") : "")
  );
}
