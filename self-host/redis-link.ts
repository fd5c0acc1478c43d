import { Redis, type RedisOptions } from "ioredis";
import { createEmbeddedRedis } from "./embedded-redis";
import { SelfHostError } from "./self-host-error";

export type RedisLinkOptions = {
  /** `redis://` or `rediss://` URL of a real Redis; without one it is embedded. */
  readonly redisUrl?: string | undefined;
  /** Limit for each command. */
  readonly commandTimeoutMs?: number | undefined;
};

export type RedisLink = {
  readonly kind: "embedded" | "redis";
  /** Commands fail at once while there is no connection. */
  readonly redis: Redis;
  readonly close: () => void;
};

const COMMAND_TIMEOUT_MS = 5_000;
const RECONNECT_STEP_MS = 50;
const RECONNECT_AT_LATEST_MS = 1_000;

/** @throws SelfHostError where a real Redis cannot be reached. */
export async function openRedisLink(options: RedisLinkOptions): Promise<RedisLink> {
  const timeoutMs = options.commandTimeoutMs ?? COMMAND_TIMEOUT_MS;
  const shared: RedisOptions = {
    lazyConnect: true,
    commandTimeout: timeoutMs,
    // A command that waits for a connection would hang its request; one sent twice may count twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
  const { redisUrl } = options;
  if (redisUrl === undefined) {
    const { connector, close } = createEmbeddedRedis();
    const redis = new Redis({ ...shared, Connector: connector, enableReadyCheck: false });
    const link = await connect("embedded", redis, close);
    // The first script loads the Lua engine, which takes tens of milliseconds: not on a request's time.
    await redis.call("EVAL", "return 1", "0");
    return link;
  }
  if (!/^rediss?:\/\//.test(redisUrl) || !URL.canParse(redisUrl)) {
    throw new SelfHostError(
      "REDIS_URL is not the URL of a Redis",
      "It looks like redis://:password@host:6379.",
    );
  }
  const redis = new Redis(redisUrl, {
    ...shared,
    connectTimeout: timeoutMs,
    // A connection that has died without a word is given up, not waited on by every command anew.
    socketTimeout: timeoutMs * 2,
    retryStrategy: (attempt) => Math.min(attempt * RECONNECT_STEP_MS, RECONNECT_AT_LATEST_MS),
  });
  return connect("redis", redis, () => undefined);
}

async function connect(
  kind: RedisLink["kind"],
  redis: Redis,
  afterClose: () => void,
): Promise<RedisLink> {
  let lastError: unknown;
  // Without a listener ioredis prints every failed attempt; the commands that fail say enough.
  redis.on("error", (error) => {
    lastError = error;
  });
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw new SelfHostError(
      "the Redis of REDIS_URL cannot be reached",
      "Is it running, and are host, port and password in REDIS_URL right?",
      { cause: lastError ?? error },
    );
  }
  return {
    kind,
    redis,
    close: () => {
      redis.disconnect();
      afterClose();
    },
  };
}
