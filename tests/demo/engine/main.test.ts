import { expect, it, onTestFinished } from "vitest";

function demoEngine(...args: string[]) {
  const process_ = Bun.spawn([process.execPath, "demo/engine/main.ts", ...args], {
    stdout: "pipe",
    stderr: "pipe",
  });
  onTestFinished(() => process_.kill("SIGKILL"));
  return process_;
}

it("speaks as it is told, says so in one line, and ends on a signal", async () => {
  const child = demoEngine("--speak", "ollama", "--model", "a:1b", "--model", "b:2b", "--cold");
  const { value } = await child.stdout.getReader().read();
  const line = new TextDecoder().decode(value);
  const url = /at (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
  expect(line).toContain("no model runs");
  expect(await (await fetch(`${url}/api/tags`)).json()).toMatchObject({
    models: [{ name: "a:1b" }, { name: "b:2b" }],
  });
  expect(await (await fetch(`${url}/api/ps`)).json()).toEqual({ models: [] });

  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
});

it.each([
  [["--speak", "parrot"], "--speak is one of"],
  [["--port", "many"], "--port takes a number"],
  [["--fault", "explode"], "--fault names no fault"],
])("refuses %j with exit 2 and the flag's name", async (args, message) => {
  const child = demoEngine(...args);
  expect(await new Response(child.stderr).text()).toContain(message);
  expect(await child.exited).toBe(2);
});
