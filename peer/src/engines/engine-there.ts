import type { DetectedEngine } from "./detect";
import type { EngineHealth } from "./driver";
import { readHealth } from "./read-models";

/**
 * When an engine is gone (docs/decisions/0019). Without a word for `askAfterS` it is asked whether it is there: a cold model
 * with a long prompt needs minutes. Some answer nobody while they think, but none for so many questions in a row.
 */
export const ENGINE_SILENCE = { askAfterS: 300, askEveryS: 60, mostUnanswered: 6 } as const;

/** Whether an engine answers at all; asked once at a time, however many requests wait for it. Never rejects. */
export type EngineThere = (engine: DetectedEngine) => Promise<boolean>;

export function createEngineThere(
  read: (engine: DetectedEngine) => Promise<EngineHealth> = readHealth,
): EngineThere {
  const asking = new Map<string, Promise<boolean>>();

  async function ask(engine: DetectedEngine): Promise<boolean> {
    const health = await read(engine);
    asking.delete(engine.target.rootUrl);
    return health === "ok" || health === "loading";
  }

  return (engine) => {
    const { rootUrl } = engine.target;
    const underWay = asking.get(rootUrl) ?? ask(engine);
    asking.set(rootUrl, underWay);
    return underWay;
  };
}
