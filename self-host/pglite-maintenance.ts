/**
 * Postgres without its background processes keeps its log for ever and never vacuums: PGlite has
 * none. A minute's log and an hour's dead rows are what is kept here at most.
 */
const CHECKPOINT_EVERY_MS = 60_000;
const VACUUM_EVERY_MS = 3_600_000;
const MAINTENANCE_LIMIT_MS = 600_000;

export type Maintenance = {
  /** A database that nobody used is left alone. */
  readonly noteUse: () => void;
  readonly stop: () => void;
};

export function scheduleMaintenance(options: {
  readonly run: (statement: string, limitMs: number) => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly checkpointEveryMs?: number;
  readonly vacuumEveryMs?: number;
}): Maintenance {
  const jobs = [
    { statement: "CHECKPOINT", everyMs: options.checkpointEveryMs ?? CHECKPOINT_EVERY_MS },
    { statement: "VACUUM (ANALYZE)", everyMs: options.vacuumEveryMs ?? VACUUM_EVERY_MS },
  ].map((job) => ({ ...job, isDue: false }));

  const timers = jobs.map((job) => {
    const timer = setInterval(() => {
      if (!job.isDue) return;
      job.isDue = false;
      options.run(job.statement, MAINTENANCE_LIMIT_MS).catch(options.onError);
    }, job.everyMs);
    timer.unref();
    return timer;
  });

  return {
    noteUse: () => {
      for (const job of jobs) job.isDue = true;
    },
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
  };
}
