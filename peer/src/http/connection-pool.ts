import type { Connection } from "./connection";

/** Open connections without work, by origin. */
export type ConnectionPool = {
  /** One that was used before, the latest first. */
  take(origin: string): Connection | undefined;
  give(origin: string, connection: Connection): void;
};

type Idle = { readonly connection: Connection; readonly sinceMs: number };

const MOST_IDLE = 256;

/** `idleMs`: how long a connection is kept without work. One that is taken has been so for less. */
export function createConnectionPool(nowMs: () => number, idleMs: number): ConnectionPool {
  const idleAt = new Map<string, Idle[]>();
  let sweeping: ReturnType<typeof setTimeout> | undefined;

  function sweep(): void {
    sweeping = undefined;
    const beforeMs = nowMs() - idleMs;
    for (const [origin, idle] of idleAt) {
      const kept = idle.filter(({ connection, sinceMs }) => {
        const isKept = connection.isOpen && sinceMs > beforeMs;
        if (!isKept) connection.close();
        return isKept;
      });
      if (kept.length === 0) idleAt.delete(origin);
      else idleAt.set(origin, kept);
    }
    arm();
  }
  function arm(): void {
    if (sweeping !== undefined || idleAt.size === 0) return;
    sweeping = setTimeout(sweep, idleMs);
    sweeping.unref();
  }

  return {
    take(origin) {
      const idle = idleAt.get(origin);
      for (;;) {
        const last = idle?.pop();
        if (last === undefined) return undefined;
        if (last.connection.isOpen && nowMs() - last.sinceMs < idleMs) return last.connection;
        last.connection.close();
      }
    },
    give(origin, connection) {
      const idle = idleAt.get(origin) ?? [];
      if (idle.length >= MOST_IDLE) {
        connection.close();
        return;
      }
      idle.push({ connection, sinceMs: nowMs() });
      idleAt.set(origin, idle);
      arm();
    },
  };
}
