import { z } from "zod";

/** Where a page of numbered rows ends. */
export const RowCursor = z
  .string()
  .regex(/^\d{1,18}$/)
  .optional();

/** Rows on one page. */
export const PageLimit = z.coerce.number().int().min(1).max(200).default(50);

/** One more row was read than is shown, to know whether there is another page. */
export function pageOf<Row>(rows: readonly Row[], limit: number, cursorOf: (row: Row) => string) {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const isLast = rows.length <= limit || last === undefined;
  return { shown, next: isLast ? {} : { next_cursor: cursorOf(last) } };
}
