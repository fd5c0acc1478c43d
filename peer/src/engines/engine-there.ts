import type { DetectedEngine } from "./detect";
import type { EngineHealth } from "./driver";
import { readHealth } from "./read-models";

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
