import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { ensureDebianPackages } from "./debian-packages";
import { freePort } from "./free-port";
import { type ServerCommand, startRestartable } from "./server-process";

export type PostgresServer = {
  /** `postgres://…` of a superuser, so that tests can create databases of their own. */
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Ends the server; its data stays for `bringUp`. */
  readonly takeDown: () => Promise<void>;
  readonly bringUp: () => Promise<void>;
};

const DEBIAN_VERSIONS = "/usr/lib/postgresql";
const USER = "troop";

/** A real PostgreSQL with its data in a temporary folder, on a free port of 127.0.0.1. */
export async function startPostgresServer(): Promise<PostgresServer> {
  await ensureDebianPackages([
    { isPresent: () => postgresPrograms() !== null, debianPackage: "postgresql" },
  ]);
  const programs = postgresPrograms();
  if (programs === null) throw new Error("PostgreSQL is not installed");

  const folder = await mkdtemp(join(tmpdir(), "troop-postgres-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const user = await ownerFor(folder);
    const password = crypto.randomUUID();
    const data = join(folder, "data");
    await initialise({ initdb: programs.initdb, folder, data, user, password });

    const port = await freePort();
    const url = `postgres://${USER}:${password}@127.0.0.1:${port}/postgres`;
    const program: ServerCommand = {
      name: "PostgreSQL",
      command: [programs.postgres, "-D", data, ...settings({ port, folder })],
      cwd: folder,
      logPath: join(folder, "postgres.log"),
      ...(user === null ? {} : { user }),
      // "Fast" shutdown: does not wait for clients to leave.
      stopSignal: "SIGINT",
      isReady: () => answersQueries(url),
      readyTimeoutMs: 60_000,
    };
    return { url, ...(await startRestartable(program, remove)) };
  } catch (error) {
    await remove();
    throw error;
  }
}

type Programs = { readonly initdb: string; readonly postgres: string };

/** Debian keeps the server's programs out of the PATH, in one folder for each version. */
function postgresPrograms(): Programs | null {
  const versions = existsSync(DEBIAN_VERSIONS)
    ? [...new Bun.Glob("*/bin/initdb").scanSync({ cwd: DEBIAN_VERSIONS })]
    : [];
  const newest = versions.toSorted((a, b) => Number.parseInt(b, 10) - Number.parseInt(a, 10))[0];
  if (newest !== undefined) {
    const initdb = join(DEBIAN_VERSIONS, newest);
    return { initdb, postgres: join(initdb, "..", "postgres") };
  }
  const initdb = Bun.which("initdb");
  const postgres = Bun.which("postgres");
  return initdb !== null && postgres !== null ? { initdb, postgres } : null;
}

/** PostgreSQL refuses to run as root: then the folder goes to another user, whose name this gives. */
async function ownerFor(folder: string): Promise<string | null> {
  if (process.getuid?.() !== 0) return null;
  for (const user of ["postgres", "nobody"]) {
    const id = Bun.spawnSync(["id", "-u", user]);
    if (id.exitCode !== 0) continue;
    await chown(folder, Number(id.stdout.toString()), 0);
    return user;
  }
  throw new Error("PostgreSQL refuses to run as root, and there is no user postgres or nobody");
}

async function initialise(options: {
  initdb: string;
  folder: string;
  data: string;
  user: string | null;
  password: string;
}): Promise<void> {
  const passwordFile = join(options.folder, "password");
  await writeFile(passwordFile, options.password, { mode: 0o644 });
  const command = [options.initdb, "-D", options.data, "-U", USER, "--no-sync"];
  command.push("--encoding=UTF8", "--locale=C.UTF-8");
  command.push("--auth=scram-sha-256", `--pwfile=${passwordFile}`);
  const asUser = options.user === null ? [] : ["runuser", "-u", options.user, "--"];

  const child = Bun.spawn([...asUser, ...command], {
    cwd: options.folder,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const problems = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`initdb failed:\n${problems}`);
  await rm(passwordFile);
}

/** Nothing here outlives the run, so durability is switched off for speed. */
function settings({ port, folder }: { port: number; folder: string }): string[] {
  const values = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    max_connections: "200",
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
  };
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function answersQueries(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.query("SELECT 1");
    return true;
  } catch {
    // Not up yet; the caller asks again, and gives up with the server's own log.
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
