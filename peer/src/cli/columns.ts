import { printable } from "../coordinator/printable";

const MAX_CELL_CHARACTERS = 80;

/** Lays rows out in columns two spaces apart, one line a row. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [place, cell] of row.entries()) {
      widths[place] = Math.max(widths[place] ?? 0, Bun.stringWidth(cell));
    }
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, place) => pad(cell, widths[place]))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** A table for people: a head, then cells that may come from the network. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => printable(cell, MAX_CELL_CHARACTERS)));
  return columns([head, ...cells]);
}

function pad(cell: string, width: number = 0): string {
  return cell + " ".repeat(Math.max(0, width - Bun.stringWidth(cell)));
}
