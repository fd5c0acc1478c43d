import { expect, it } from "vitest";
import {
  Heartbeat,
  HEARTBEAT_INTERVAL_S,
  HeartbeatAnswer,
  MAX_GPUS,
  MAX_MODELS,
  NODE_DEAD_AFTER_S,
  NodeUrl,
} from "#protocol/heartbeat";
import { boundsOf } from "./schema-bounds";

const offer = { id: "llama3.1:8b", engine: "ollama", state: "loaded" };

boundsOf(
  "Heartbeat",
  Heartbeat,
  {
    state: "paused",
    reason: "user_active",
    lends_until: 1_900_000_000,
    gpus: [{ name: "NVIDIA H200", driver: "570.86", vram_total_mib: 143_771, vram_free_mib: 9 }],
    speeds: [{ model: "llama3.1:8b", prefill_tokens_per_s: 900, decode_tokens_per_s: 41.5 }],
    urls: ["http://100.64.0.7:8080"],
    networks: ["public", "net-1"],
    e2e_key: "the.nodes.key",
    models: [offer],
    withdrawn: ["gone:latest"],
    running: 0,
    waiting: 3,
    concurrency: 4,
    version: "0.1.0",
  },
  {
    optional: ["networks", "reason", "lends_until", "gpus", "speeds"],
    integers: {
      lends_until: { min: 1, max: Number.MAX_SAFE_INTEGER },
      "gpus.0.vram_total_mib": { min: 0, max: 16_777_216 },
      "gpus.0.vram_free_mib": { min: 0, max: 16_777_216 },
      running: { min: 0, max: 65_536 },
      waiting: { min: 0, max: 65_536 },
      concurrency: { min: 1, max: 65_536 },
    },
    texts: {
      version: { min: 1, max: 64 },
      "gpus.0.name": { min: 1, max: 128 },
      "gpus.0.driver": { min: 0, max: 64 },
      e2e_key: { min: 1, max: 1_024 },
    },
    lists: {
      gpus: { min: 0, max: MAX_GPUS },
      speeds: { min: 0, max: MAX_MODELS },
      urls: { min: 1, max: 4 },
      networks: { min: 1, max: 64 },
      models: { min: 0, max: MAX_MODELS },
      withdrawn: { min: 0, max: MAX_MODELS },
    },
    plain: ["version", "gpus.0.name", "gpus.0.driver", "withdrawn.0", "models.0.id"],
    refuses: [
      ["a state that nobody knows", "state", "dead"],
      ["a speed of nothing", "speeds.0.decode_tokens_per_s", 0],
      ["a reason that tells what the owner does", "reason", "game.exe"],
    ],
  },
);

boundsOf(
  "HeartbeatAnswer",
  HeartbeatAnswer,
  { status: "seen", next_in_seconds: 15, refused_networks: ["net-1"] },
  {
    optional: ["refused_networks"],
    integers: { next_in_seconds: { min: 1, max: Number.MAX_SAFE_INTEGER } },
    refuses: [["another status", "status", "unseen"]],
  },
);

it.each(["http://100.64.0.7:8080", "http://100.64.0.7", "http://[fd7a:115c:a1e0::1]:8080"])(
  "takes %s as a node's address",
  (url) => expect(NodeUrl.parse(url)).toBe(url),
);

it.each([
  "",
  "not a url",
  "100.64.0.7:8080",
  "http://",
  "http://a\u0000b",
  "https://100.64.0.7:8080",
  "ftp://100.64.0.7:8080",
  "http://100.64.0.7:8080/",
  "http://100.64.0.7:8080/v1",
  "http://100.64.0.7:8080?a=1",
  "http://100.64.0.7:8080#a",
  "http://user@100.64.0.7:8080",
  "http://100.64.0.7:80",
  "http://100.64.0.7:65536",
  "http://0x7f.1:8080",
  "http://1681915911:8080",
  "http://localhost:8080",
  "http://node.example:8080",
  "http://1.2.3.4.example:8080",
  "http://[fd7a:115c:a1e0::1]:8080/x",
])("refuses %j as a node's address, and never throws", (url) => {
  expect(NodeUrl.safeParse(url).success).toBe(false);
});

it("lets a node miss two heartbeats before it is dead", () => {
  expect(NODE_DEAD_AFTER_S).toBeGreaterThan(2 * HEARTBEAT_INTERVAL_S);
});
