// usage: bun commit-until-killed.ts DATA_DIR
// Commits pairs of rows for as long as it lives, and prints the number of each when it is acknowledged.
import { openStores } from "#self-host/stores";

const { sql } = await openStores({ dataDir: process.argv[2] });
const statement = (text: string, ...params: string[]) => ({ text, params });
await sql.query(statement("create table if not exists pairs (n int, half text, filler text)"));
const { rows } = await sql.query(statement("select coalesce(max(n), 0) from pairs"));
const insert = "insert into pairs values ($1, $2, repeat('x', 2000))";
for (let n = Number(rows[0]?.[0]) + 1; ; n += 1) {
  const pair = [statement(insert, String(n), "left"), statement(insert, String(n), "right")];
  await sql.transaction(pair);
  process.stdout.write(`${n}\n`);
}
