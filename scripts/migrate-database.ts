import { join } from "node:path";
import { migrate } from "#self-host/migrate";
import { SelfHostError, toldOf } from "#self-host/self-host-error";

const databaseUrl = process.env["DATABASE_URL"];
if (databaseUrl === undefined) {
  process.stderr.write("Set DATABASE_URL=postgres://… to the database that is to be migrated.\n");
  process.exit(2);
}
try {
  const folder = join(import.meta.dirname, "../drizzle/migrations");
  const { applied } = await migrate({ databaseUrl, folder });
  process.stdout.write(
    applied.length === 0 ? "The database is up to date.\n" : `Applied: ${applied.join(", ")}\n`,
  );
} catch (cause) {
  if (!(cause instanceof SelfHostError)) throw cause;
  process.stderr.write(toldOf(cause));
  process.exit(1);
}
