import { AbstractConnector, type RedisOptions } from "ioredis";
import {
  CommandExecutor,
  createRedisCommandRegistry,
  createTransactionPolicy,
  createVirtualConnection,
  RedisServerState,
} from "js-redis-server/core";

export type EmbeddedRedis = {
  /** For ioredis: connects through memory, with the wire protocol and all. */
  readonly connector: NonNullable<RedisOptions["Connector"]>;
  readonly close: () => void;
};

/**
 * `js-redis-server` in this process, without its own TCP server, which would listen on every address
 * and ask for no password. It keeps nothing over a restart, and need not: everything in there has a
 * time to live and is written again.
 */
export function createEmbeddedRedis(): EmbeddedRedis {
  const state = new RedisServerState({ databaseCount: 1 });
  const executor = new CommandExecutor({
    registry: commands(),
    policies: [createTransactionPolicy()],
  });
  return {
    connector: class extends AbstractConnector {
      constructor() {
        super(0);
      }
      override async connect(): Promise<typeof this.stream> {
        this.connecting = true;
        // It has the parts of a socket that ioredis uses; js-redis-server's own mock relies on it too.
        this.stream = createVirtualConnection({ state, executor }).clientSocket as never;
        return this.stream;
      }
    },
    close: () => state.close(),
  };
}

/** Scripts may call these in a real Redis; js-redis-server 0.3 refuses them there without need. */
const SCRIPTABLE = ["hrandfield", "spop", "srandmember"];

function commands(): ReturnType<typeof createRedisCommandRegistry> {
  const registry = createRedisCommandRegistry();
  for (const name of SCRIPTABLE) {
    const command = registry.get(name);
    if (command === undefined) throw new Error(`js-redis-server has no ${name}`);
    const flags = command.flags.filter((flag) => flag !== "noscript");
    registry.override({ ...command, flags });
  }
  return registry;
}
