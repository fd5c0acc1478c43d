import type { SQL } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { storeCall } from "./store-call";

/** int8 arrives as text; every amount here fits a double exactly (the protocol's bound). */
export const Int8 = z.coerce.number().pipe(z.int());

/** One statement, its rows parsed. One round trip. */
export async function sqlRows<Row extends z.ZodType>(
  db: NeonHttpDatabase,
  row: Row,
  statement: SQL,
): Promise<z.infer<Row>[]> {
  const { rows } = await storeCall("postgres", () => db.execute(statement));
  // Not `z.array(row)`: to make a schema costs more than to parse with it.
  return rows.map((one) => row.parse(one));
}

/** As `sqlRows`, for a statement that answers exactly one row. */
export async function sqlRow<Row extends z.ZodType>(
  db: NeonHttpDatabase,
  row: Row,
  statement: SQL,
): Promise<z.infer<Row>> {
  const [first] = await sqlRows(db, row, statement);
  if (first === undefined) throw new Error("A statement that answers one row answered none.");
  return first;
}
