import type { TestProject } from "vitest/node";
import { startNetwork } from "#support/network";
import { startEngineTap } from "./engine-tap";
import { type Bench, type Engine, Engines, ENGINES_VARIABLE } from "./engines";

/** Puts a network in front of every engine, each with a tap between the two. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env[ENGINES_VARIABLE];
  if (given === undefined) throw new Error("no engines: start this with npm run test:conformance");
  const engines = Engines.parse(JSON.parse(given));

  const stops: (() => Promise<void>)[] = [];
  const teardown = async (): Promise<void> => {
    for (const stop of stops.toReversed()) await stop();
  };
  const bench = async (engine: Engine): Promise<Bench> => {
    const tap = await startEngineTap(engine.url);
    stops.push(tap.stop);
    const network = await startNetwork({ engineUrl: tap.url });
    stops.push(network.stop);
    const proxiedUrl = new URL(network.baseUrl).origin;
    return { ...engine, proxiedUrl, tapControlUrl: tap.controlUrl };
  };
  try {
    // One after another: if one fails, no other is still starting when all are stopped.
    project.provide("benches", {
      words: await bench(engines.words),
      tools: await bench(engines.tools),
      embeddings: await bench(engines.embeddings),
      slow: await bench(engines.slow),
    });
  } catch (error) {
    await teardown();
    throw error;
  }
  return teardown;
}
