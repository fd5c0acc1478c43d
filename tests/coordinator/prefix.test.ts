import { expect, it } from "vitest";
import { Authorization } from "#protocol/authorize";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";

const PUBLIC_URL = "https://host.example/api";
const coordinator = useCoordinator({ PUBLIC_URL });

/** A peer that dials PUBLIC_URL through a proxy, which leaves the prefix on or takes it off. */
async function peerBehind(proxy: (path: string) => string) {
  const peer = await newPeer(coordinator().url);
  return {
    ...peer,
    call: (target: string, body?: unknown, headers: Record<string, string> = {}) =>
      peer.call(proxy(target), {
        ...(body !== undefined && { body }),
        headers,
        proof: { audience: PUBLIC_URL, target },
      }),
  };
}

it.each([
  ["leaves the prefix on", (path: string) => `/api${path}`],
  ["takes the prefix off", (path: string) => path],
])("works below a path prefix behind a proxy that %s", async (_, proxy) => {
  const node = await peerBehind(proxy);
  const client = await peerBehind(proxy);
  const { enrolment } = (await (await node.call("/register", {})).json()) as { enrolment: string };
  expect((await client.call("/register", {})).status).toBe(200);
  const beat = {
    state: "serving",
    urls: ["http://127.0.0.1:8080"],
    e2e_key: "the.nodes.key",
    models: [{ id: "m", engine: "vllm", state: "loaded" }],
    withdrawn: [],
    running: 0,
    waiting: 0,
    concurrency: 1,
    version: "1",
  };
  expect((await node.call("/heartbeat", beat, { "troop-enrolment": enrolment })).status).toBe(200);
  const answer = await client.call("/authorize", { model: "m" });
  expect(Authorization.parse(await answer.json()).model).toBe("m");
});
