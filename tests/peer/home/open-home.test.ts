import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CliError, EXIT } from "#peer/cli/error";
import { openHome } from "#peer/home/open-home";
import { windows } from "#peer/platform/windows";
import { temporaryFolder } from "./temporary-folder";

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777;
}

async function refusalOf(dir: string): Promise<CliError> {
  try {
    await openHome(dir);
  } catch (error) {
    expect(error).toBeInstanceOf(CliError);
    return error as CliError;
  }
  return expect.unreachable("the home should have been refused");
}

it("makes an identity at the first opening that nobody else can read, and keeps it", async () => {
  const dir = join(await temporaryFolder(), "a", "b");
  const first = await openHome(dir);
  expect(await modeOf(join(dir, "identity.json"))).toBe(0o600);
  expect(await modeOf(dir)).toBe(0o700);
  expect((await openHome(dir)).identity.peerId).toBe(first.identity.peerId);
});

it("gives processes that start at once one identity", async () => {
  const dir = await temporaryFolder();
  const script = `
    import { openHome } from ${JSON.stringify(join(import.meta.dirname, "../../../peer/src/home/open-home.ts"))};
    await Bun.stdin.text();
    console.log((await openHome(${JSON.stringify(dir)})).identity.peerId);`;
  const processes = Array.from({ length: 4 }, () =>
    Bun.spawn([process.execPath, "-e", script], { stdin: "pipe", stdout: "pipe" }),
  );
  // All wait for the end of their input, so that it comes to all of them together.
  for (const child of processes) await child.stdin.end();
  const ids = await Promise.all(processes.map((child) => new Response(child.stdout).text()));
  expect(new Set(ids).size).toBe(1);
  expect(ids[0]).toMatch(/^[\w-]{43}\n$/);
  expect(await readdir(dir)).toEqual(["identity.json"]);
});

it("gives openings at once in one process one identity", async () => {
  const dir = await temporaryFolder();
  const homes = await Promise.all(Array.from({ length: 8 }, () => openHome(dir)));
  expect(new Set(homes.map((home) => home.identity.peerId)).size).toBe(1);
});

it.each([
  ["empty", ""],
  ["cut short", '{"kty":"OKP","crv":"Ed2'],
  ["of another shape", '{"kty":"RSA"}'],
  ["of two keys", "mismatch"],
])(
  "refuses an identity.json that is %s, says what to do, and leaves it as it is",
  async (_name, text) => {
    const dir = await temporaryFolder();
    const path = join(dir, "identity.json");
    const damaged = text === "mismatch" ? await mixedKey() : text;
    await writeFile(path, damaged);

    const refusal = await refusalOf(dir);
    expect(refusal.exit).toBe(EXIT.failed);
    expect(refusal.message).toBe(`${path} is damaged: it holds no usable key.`);
    expect(refusal.hint).toContain("move the file away");
    expect(await readFile(path, "utf8")).toBe(damaged);
  },
);

it("takes a key that others can read from them, and says so", async () => {
  const dir = await temporaryFolder();
  await openHome(dir);
  const path = join(dir, "identity.json");
  await chmod(path, 0o644);
  const warnings: string[] = [];
  await openHome(dir, { warn: (line) => warnings.push(line) });
  expect(await modeOf(path)).toBe(0o600);
  expect(warnings).toEqual([expect.stringContaining(path)]);
});

it("says when others can change files in the folder, and leaves that to the user", async () => {
  const dir = join(await temporaryFolder(), "shared");
  await mkdir(dir);
  await chmod(dir, 0o777);
  const warnings: string[] = [];
  await openHome(dir, { warn: (line) => warnings.push(line) });
  expect(warnings).toEqual([expect.stringContaining(`chmod go-w '${dir}'`)]);
  expect(await modeOf(dir)).toBe(0o777);
});

it("does not look at POSIX modes on Windows", async () => {
  const dir = await temporaryFolder();
  await openHome(dir);
  await chmod(join(dir, "identity.json"), 0o644);
  const warnings: string[] = [];
  await openHome(dir, { warn: (line) => warnings.push(line), platform: windows });
  expect(warnings).toEqual([]);
});

it("says which folder it cannot use", async () => {
  const file = join(await temporaryFolder(), "file");
  await writeFile(file, "");
  const refusal = await refusalOf(join(file, "home"));
  expect(refusal.message).toContain(join(file, "home"));
  expect(refusal.hint).toContain("--home DIR");
});

it("opens a home through a symbolic link", async () => {
  const folder = await temporaryFolder();
  const first = await openHome(join(folder, "real"));
  await symlink(join(folder, "real"), join(folder, "link"));
  expect((await openHome(join(folder, "link"))).identity.peerId).toBe(first.identity.peerId);
});

/** The public half of one key and the private half of another. */
async function mixedKey(): Promise<string> {
  const [one, other] = await Promise.all(
    ["one", "other"].map(async () => {
      const dir = await temporaryFolder();
      await openHome(dir);
      return JSON.parse(await readFile(join(dir, "identity.json"), "utf8")) as { x: string };
    }),
  );
  return JSON.stringify({ ...one, x: other?.x });
}
