import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { useCoordinator } from "#support/coordinator";
import { troopBinary } from "#support/troop-binary";
import { peopleOf } from "../coordinator/people";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });
const { person } = peopleOf(coordinator);
let binary: string;
beforeAll(async () => {
  binary = await troopBinary();
});

async function newHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "troop-login-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
}

function start(home: string, args: readonly string[]) {
  return Bun.spawn([binary, ...args, "--home", home, "--coordinator", coordinator().url], {
    env: { PATH: process.env["PATH"] ?? "" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function run(home: string, ...args: string[]) {
  const child = start(home, [...args, "--json"]);
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, err, data: (out === "" ? {} : JSON.parse(out)) as Record<string, unknown> };
}

/** Runs `troop login` and answers on the page for it. */
async function logIn(home: string, by: Awaited<ReturnType<typeof person>>, approve: boolean) {
  const child = start(home, ["login", "--name", "tower", "--json"]);
  let said = "";
  let isDecided = false;
  // To its end: what is written to a pipe that nobody reads ends a command.
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    const userCode = /\/account#([A-Z]{4}-[A-Z]{4})/.exec(said)?.[1];
    if (userCode === undefined || isDecided) continue;
    isDecided = true;
    const body = { user_code: userCode, approve };
    expect((await by.ask("/auth/device/decide", { body })).status).toBe(204);
  }
  const [out, exit] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { exit, data: (out === "" ? {} : JSON.parse(out)) as Record<string, unknown> };
}

it("links two machines to one account, lists them, and signs one out", async () => {
  const [somebody, one, two] = [await person(), await newHome(), await newHome()];
  // One had credits of its own before; the other is new.
  expect((await run(one, "balance")).data).toMatchObject({ available: "100" });
  for (const home of [one, two]) {
    const { exit, data } = await logIn(home, somebody, true);
    expect({ exit, data }).toMatchObject({
      exit: 0,
      data: { schema: "troop.login/1", email: somebody.email, user_id: somebody.user },
    });
    expect((await run(home, "balance")).data).toMatchObject({
      user_id: somebody.user,
      available: "100",
    });
  }
  const listed = await run(one, "peers");
  expect(listed.data["peers"]).toMatchObject([{ name: "tower" }, { name: "tower" }]);

  expect((await run(two, "logout")).exit).toBe(0);
  const balance = await run(two, "balance");
  expect(balance.exit).toBe(4);
  expect(balance.err).toContain("peer_revoked");
  expect(balance.err).toContain("troop login");
  expect((await run(one, "peers")).data["peers"]).toHaveLength(1);
  // Again: perhaps nobody heard the answer.
  expect((await run(two, "logout")).exit).toBe(0);
  expect((await logIn(two, somebody, true)).exit).toBe(0);
  expect((await run(two, "balance")).data).toMatchObject({ available: "100" });
});

it("ends with 4 where the person says no, and changes nothing", async () => {
  const [somebody, home] = [await person(), await newHome()];
  const before = (await run(home, "balance")).data["user_id"];
  expect((await logIn(home, somebody, false)).exit).toBe(4);
  expect((await run(home, "balance")).data["user_id"]).toBe(before);
});
