/** How many `ownRedis` can give away. */
export const REDIS_DATABASES = 1_024;

/** The `redis://` URL of a database that nobody else has, on a real Redis that has `REDIS_DATABASES` of them. */
export async function ownRedis(serverUrl: string): Promise<string> {
  const client = new Bun.RedisClient(serverUrl);
  try {
    const given = await client.incr("databases given away");
    if (given >= REDIS_DATABASES) throw new Error("The test Redis has no database left.");
    return `${serverUrl}/${given}`;
  } finally {
    client.close();
  }
}
