import { expect, it } from "vitest";
import { z } from "zod";
import { PROBLEMS } from "#protocol/problem";
import { CliError, EXIT } from "#peer/cli/error";
import { command, type Command, type CommandRow } from "#peer/command";
import { COMMANDS } from "#peer/commands/table";
import { CoordinatorProblem, CoordinatorUnreachable } from "#peer/coordinator/errors";
import { openHome } from "#peer/home/open-home";
import { rememberCoordinator } from "#peer/home/settings";
import { main } from "#peer/main";
import { temporaryFolder } from "./home/temporary-folder";
import { type TestTerminal, testTerminal } from "./cli/test-terminal";

const greet = command({
  schema: "troop.greet/1",
  flags: { name: { schema: z.string().default("you"), value: "NAME", summary: "Whom" } },
  run: async (ctx) => ({ greeting: `hello ${ctx.flags.name}` }),
  human: ({ greeting }: { greeting: string }) => `${greeting}\n`,
});

function row(load: () => Promise<Command>, name: string = "greet"): CommandRow {
  return { name, aliases: ["hi"], summary: "Greets", examples: [`troop ${name}`], load };
}

const GREET = row(async () => greet);

async function run(
  args: readonly string[],
  rows: readonly CommandRow[] = [GREET],
  env: Record<string, string> = {},
): Promise<{ exit: number; terminal: TestTerminal }> {
  const terminal = testTerminal(env);
  return { exit: await main(args, rows, terminal), terminal };
}

function failing(error: unknown): CommandRow {
  const run = async (): Promise<never> => {
    throw error;
  };
  return row(async () => ({ ...greet, run }));
}

it("prints a result for people, or the same as JSON with the name of its shape", async () => {
  const people = await run(["greet", "--name", "Ada"]);
  expect(people.terminal.out()).toBe("hello Ada\n");
  const programs = await run(["hi", "--json", "--name", "Ada"]);
  expect(JSON.parse(programs.terminal.out())).toEqual({
    schema: "troop.greet/1",
    greeting: "hello Ada",
  });
  expect([people.exit, programs.exit]).toEqual([EXIT.ok, EXIT.ok]);
});

it("takes global flags on both sides of the command", async () => {
  const { terminal } = await run(["--json", "--home", "/nowhere", "greet", "--name=Ada"]);
  expect(JSON.parse(terminal.out())).toMatchObject({ greeting: "hello Ada" });
});

it("loads no command but the one that is called", async () => {
  const other = row(() => expect.unreachable("it was not called"), "other");
  expect(
    (
      await run(
        ["greet"],
        [other, GREET].map((r) => ({ ...r, aliases: [] })),
      )
    ).exit,
  ).toBe(0);
  expect((await run(["--help"], [other])).exit).toBe(0);
});

it.each([[["--help"]], [["-h"]], [["help"]]])("shows all commands with %j", async (args) => {
  const { exit, terminal } = await run(args);
  expect(exit).toBe(EXIT.ok);
  expect(terminal.out()).toContain("greet, hi  Greets");
});

it.each([[["greet", "--help"]], [["help", "hi"]], [["greet", "--nonsense", "-h"]]])(
  "shows one command's flags and examples with %j",
  async (args) => {
    const { exit, terminal } = await run(args);
    expect(exit).toBe(EXIT.ok);
    expect(terminal.out()).toContain("--name NAME");
    expect(terminal.out()).toContain("  troop greet\n");
  },
);

it("gives each real command a help with an example that starts with its name", async () => {
  for (const { name, load } of COMMANDS) {
    if (["client", "worker"].includes(name)) continue; // Theirs load engines; the binary's tests show them.
    const { terminal } = await run([name, "--help"], COMMANDS);
    expect(terminal.out()).toContain(`  troop ${name}`);
    expect((await load()).schema).toMatch(
      new RegExp(`^troop\\.${name.replaceAll(" ", "\\.")}/\\d+$`),
    );
  }
});

it.each([[["team", "--help"]], [["help", "team"]], [["-h", "team"]]])(
  "shows the commands that begin with one word with %j",
  async (args) => {
    const rows = ["team make", "team leave", "other"].map((name) => ({
      ...row(() => expect.unreachable("it was not called"), name),
      aliases: [],
    }));
    const { exit, terminal } = await run(args, rows);
    expect(exit).toBe(EXIT.ok);
    expect(terminal.out()).toMatch(/^Usage: troop team <command>[^]*team make[^]*team leave/);
    expect(terminal.out()).not.toContain("other");
  },
);

it("answers wrong usage with exit 2 and nothing on stdout", async () => {
  for (const args of [[], ["gret"], ["greet", "--nam"], ["--name", "x", "greet"], ["greet", "x"]]) {
    const { exit, terminal } = await run(args);
    expect(exit).toBe(EXIT.usage);
    expect(terminal.out()).toBe("");
    expect(terminal.err()).not.toBe("");
  }
  expect((await run(["gret"])).terminal.err()).toContain("Did you mean: troop greet?");
});

it.each<[string, unknown, number, string]>([
  [
    "a failure with a hint",
    new CliError(EXIT.failed, "It broke.", "Mend it."),
    1,
    "troop: It broke.\nMend it.\n",
  ],
  [
    "a coordinator that is down",
    new CoordinatorUnreachable("It is down."),
    3,
    "troop: It is down.\n",
  ],
  [
    "a refusal",
    refusal("clock_skew"),
    4,
    "troop: The coordinator refused (clock_skew). Refused.\n",
  ],
])("gives %s its exit number and message", async (_name, error, exit, said) => {
  const ran = await run(["greet"], [failing(error)]);
  expect(ran.exit).toBe(exit);
  expect(ran.terminal.err().startsWith(said)).toBe(true);
});

it("tells nothing of an unexpected error but its name, and all with TROOP_DEBUG=1", async () => {
  const error = new TypeError("the secret is 42");
  const quiet = await run(["greet"], [failing(error)]);
  expect(quiet.exit).toBe(EXIT.failed);
  expect(quiet.terminal.err()).toBe(
    "troop: Something failed that should not: TypeError.\n" +
      "Run it again with TROOP_DEBUG=1 for details to report.\n",
  );
  const loud = await run(["greet"], [failing(error)], { TROOP_DEBUG: "1" });
  expect(loud.terminal.err()).toContain("the secret is 42");
  expect(loud.terminal.err()).toContain("main.test.ts");
});

it("takes the coordinator from flag, then environment, then the home, and else says what to pass", async () => {
  const where = row(async () =>
    command({
      schema: "troop.where/1",
      flags: {},
      run: async (ctx) => ({ url: await ctx.coordinatorUrl() }),
      human: ({ url }: { url: string }) => `${url}\n`,
    }),
  );
  const dir = await temporaryFolder();
  const env = { TROOP_HOME: dir };
  const unknown = await run(["greet"], [where], env);
  expect(unknown.exit).toBe(EXIT.usage);
  expect(unknown.terminal.err()).toContain("--coordinator URL");
  expect(unknown.terminal.err()).toContain("COORDINATOR_URL");

  await rememberCoordinator(await openHome(dir), "http://file.example");
  expect((await run(["greet"], [where], env)).terminal.out()).toBe("http://file.example\n");
  expect((await run(["greet", "--home", dir], [where])).terminal.out()).toBe(
    "http://file.example\n",
  );
  const withEnv = { ...env, COORDINATOR_URL: "http://env.example/" };
  expect((await run(["greet"], [where], withEnv)).terminal.out()).toBe("http://env.example\n");
  const flag = ["greet", "--coordinator", "http://flag.example/api/"];
  expect((await run(flag, [where], withEnv)).terminal.out()).toBe("http://flag.example/api\n");
});

function refusal(code: "clock_skew"): CoordinatorProblem {
  const [status, title] = PROBLEMS[code];
  const problem = { type: "about:blank" as const, title, status, code, requestId: "req_1" };
  return new CoordinatorProblem("Refused.", problem, undefined);
}
