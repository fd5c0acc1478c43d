import { expect, it } from "vitest";
import { parseFlags } from "#peer/cli/parse-flags";
import { COMMANDS } from "#peer/commands/table";

/** The flags of a command as these arguments and variables set them. */
async function flagsOf(name: string, args: string[] = [], env: Record<string, string> = {}) {
  const command = await COMMANDS.find((row) => row.name === name)?.load();
  if (command === undefined) throw new Error(`There is no command ${name}.`);
  return parseFlags(args, command.flags, env, "");
}

it("has the client listen on 127.0.0.1:9000, unless flags say otherwise", async () => {
  expect(await flagsOf("client")).toMatchObject({ host: "127.0.0.1", port: 9_000 });
  const args = ["--host", "0.0.0.0", "--port", "0"];
  expect(await flagsOf("client", args)).toMatchObject({ host: "0.0.0.0", port: 0 });
});

it("reads models again every 180 seconds, or as often as the flag, else the variable says", async () => {
  const interval = "refresh-interval";
  const env = { MODEL_REFRESH_INTERVAL: "7" };
  expect(await flagsOf("worker")).toHaveProperty(interval, 180);
  expect(await flagsOf("worker", [], env)).toHaveProperty(interval, 7);
  expect(await flagsOf("worker", ["--refresh-interval", "9"], env)).toHaveProperty(interval, 9);
  await expect(flagsOf("worker", [], { MODEL_REFRESH_INTERVAL: "soon" })).rejects.toThrow(
    /MODEL_REFRESH_INTERVAL|refresh-interval/,
  );
});

it("takes several engines, and none unless one is named", async () => {
  expect(await flagsOf("worker")).toHaveProperty("engine", []);
  const args = ["--engine", "http://127.0.0.1:1", "--engine", "http://127.0.0.1:2/v1"];
  expect((await flagsOf("worker", args))["engine"]).toHaveLength(2);
});
