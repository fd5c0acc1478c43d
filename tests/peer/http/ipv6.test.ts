import { expect, it, onTestFinished } from "vitest";
import { probeNode } from "#peer/client/nodes/probe-node";
import { callHttp } from "#peer/http/call";

it("reaches nodes and engines at IPv6 addresses, brackets and all", async () => {
  const hosts: (string | null)[] = [];
  const server = Bun.serve({
    hostname: "::1",
    port: 0,
    fetch({ headers }) {
      hosts.push(headers.get("host"));
      return new Response("ok");
    },
  });
  onTestFinished(() => server.stop(true));
  const url = `http://[::1]:${server.port}`;
  const body = { kind: "whole", bytes: new Uint8Array() } as const;
  const answer = await callHttp({ url: `${url}/v1/x`, headers: { "content-length": 0 }, body })
    .answer;
  expect(answer.ok && answer.value.status).toBe(200);
  expect((await probeNode(url)).state).toBe("there");
  expect(hosts).toEqual([`[::1]:${server.port}`, `[::1]:${server.port}`]);
});
