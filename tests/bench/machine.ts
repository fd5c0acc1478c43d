import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from "node:os";

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly bun: string;
  /** Before the first part: what else was going on. */
  readonly loadAverage: number;
};

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    bun: Bun.version,
    loadAverage: loadavg()[0] ?? 0,
  };
}
