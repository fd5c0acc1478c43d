import { expect, it, onTestFinished } from "vitest";
import { keepOffProxy } from "#peer/engines/keep-off-proxy";

it("adds loopback and the named hosts to those that are there, once each, in both spellings", () => {
  const env = { NO_PROXY: "corp.example, 127.0.0.1" };
  keepOffProxy(env, ["gpu", "gpu"]);
  expect(env).toEqual({
    NO_PROXY: "corp.example,127.0.0.1,localhost,::1,gpu",
    no_proxy: "corp.example,127.0.0.1,localhost,::1,gpu",
  });
});

it("keeps a request to an engine on this machine from leaving through HTTP_PROXY", async () => {
  const proxied: string[] = [];
  const proxy = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch(request) {
      proxied.push(request.url);
      return new Response("proxied");
    },
  });
  const engine = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("direct") });
  onTestFinished(async () => {
    await proxy.stop(true);
    await engine.stop(true);
  });
  const script = `
    const { keepOffProxy } = await import("./peer/src/engines/keep-off-proxy.ts");
    const ask = async () => (await fetch("http://127.0.0.1:${engine.port}/")).text();
    const before = await ask();
    keepOffProxy(process.env, []);
    console.log(before, await ask());
  `;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: {
      ...process.env,
      HTTP_PROXY: `http://127.0.0.1:${proxy.port}`,
      NO_PROXY: "",
      no_proxy: "",
    },
  });
  expect(await new Response(child.stdout).text()).toBe("proxied direct\n");
  expect(proxied).toHaveLength(1);
});
