import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { HeartbeatAnswer } from "#protocol/heartbeat";
import { HardwareStanding } from "#protocol/hardware";
import { startNetwork, type TestNetwork } from "#support/network";
import { keysWithRound } from "#support/round-soon";
import { newPeer } from "#support/test-peer";
import { operatorOf } from "../coordinator/operators";

/** Long enough for everything to have started, and for a heartbeat to hear of it. */
const ROUND_IN_MS = 40_000;
const RUN_MS = 240_000;

let engine: DemoEngine;
let network: TestNetwork;
let roundAtMs: number;

beforeAll(async () => {
  engine = startDemoEngine({ voice: "ollama", deterministic: true });
  const found = await keysWithRound(ROUND_IN_MS);
  roundAtMs = found.roundAtMs;
  network = await startNetwork({ engineUrl: engine.url, signingKeys: found.signingKeys });
});

afterAll(async () => {
  await network.stop();
  await engine.close();
});

const Status = z.object({ peer_id: z.string(), hardware: HardwareStanding });

it(
  "all nodes are told the same moment, and a worker that nobody needs proves itself in it",
  async () => {
    const status = async () => Status.parse(await network.run(network.worker.home, ["status"]));
    expect((await status()).hardware.basis).toBe("unproven");

    const others = await Promise.all(
      [0, 1].map(async () => {
        const peer = await newPeer(network.coordinator.url);
        return { peer, registration: await peer.register() };
      }),
    );
    const toldAtMs = async ({ peer, registration }: (typeof others)[number]) => {
      const askedMs = Date.now();
      const answer = HeartbeatAnswer.parse(await (await peer.beat(registration)).json());
      const inMs = answer.hardware_round_in_ms;
      return inMs === undefined
        ? undefined
        : { earliest: askedMs + inMs, latest: Date.now() + inMs };
    };
    await expect
      .poll(async () => Promise.all(others.map(toldAtMs)), { timeout: 120_000, interval: 2_000 })
      .toEqual([expect.anything(), expect.anything()]);
    for (const told of await Promise.all(others.map(toldAtMs))) {
      expect(told?.earliest).toBeLessThanOrEqual(roundAtMs);
      expect(told?.latest).toBeGreaterThanOrEqual(roundAtMs);
    }

    await expect
      .poll(async () => (await status()).hardware.basis, { timeout: 120_000, interval: 2_000 })
      .toBe("proof");
    const operator = operatorOf(() => network.coordinator);
    const { peer_id: nodeId } = await status();
    const [passed] = await operator.awaitEvents(`peer_id=${nodeId}`, "hardware_passed", 1);
    expect(passed?.details).toMatchObject({ in_round: true });
    const { hardware } = await status();
    expect(hardware).toMatchObject({ verified: true, basis: "proof" });
    expect(Math.round(hardware.multiplier * 1_000_000)).toBe(passed?.details["rate"]);
  },
  RUN_MS,
);
