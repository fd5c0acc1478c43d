import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoopbackServer } from "#self-host/loopback-server";
import { openRedisLink, type RedisLink } from "#self-host/redis-link";
import { serveUpstashHttp } from "#self-host/upstash-http";
import { redises } from "./redises";

const SECRET = "a-secret_of-the-test";

describe.each(redises)("$name Redis", ({ redisUrl }) => {
  let link: RedisLink;
  let server: LoopbackServer;
  let redis: Redis;
  beforeAll(async () => {
    link = await openRedisLink({ redisUrl });
    server = serveUpstashHttp(link.redis, { secret: SECRET });
    redis = new Redis({ url: server.origin, token: SECRET, retry: false });
  });
  afterAll(async () => {
    await server.close();
    link.close();
  });
  /** Tests share a real Redis with others. */
  const key = (): string => `test:${crypto.randomUUID()}`;

  it("keeps strings, numbers, objects and bytes that are no text as they are", async () => {
    for (const value of ["plain", "test1234", "ü ✓ 😀", "OK", "", "12", 42, { a: [1, null] }]) {
      const name = key();
      expect(await redis.set(name, value, { ex: 60 })).toBe("OK");
      // The client itself reads text that is a number as a number.
      expect(await redis.get(name)).toEqual(value === "12" ? 12 : value);
      expect((await redis.mget(name, key()))[0]).toEqual(value === "12" ? 12 : value);
    }
    expect(await redis.get(key())).toBeNull();

    const name = key();
    await link.redis.call("SET", name, Buffer.from([0, 254, 255]), "EX", "60");
    const response = await fetch(server.origin, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET}`, "upstash-encoding": "base64" },
      body: JSON.stringify(["GET", name]),
    });
    expect(await response.json()).toEqual({
      result: Buffer.from([0, 254, 255]).toString("base64"),
    });
  });

  it("sets a key once, for a time", async () => {
    const name = key();
    expect(await redis.set(name, "first", { nx: true, ex: 30 })).toBe("OK");
    expect(await redis.set(name, "second", { nx: true, ex: 30 })).toBeNull();
    expect(await redis.ttl(name)).toBeGreaterThan(20);
    expect(await redis.expire(name, 1_000)).toBe(1);
    expect(await redis.pttl(name)).toBeGreaterThan(900_000);
    expect(await redis.getdel(name)).toBe("first");
    expect(await redis.ttl(name)).toBe(-2);

    const short = key();
    await redis.set(short, "x", { px: 20 });
    await expect.poll(() => redis.get(short), { interval: 10 }).toBeNull();
  });

  it("keeps hashes and samples them", async () => {
    const name = key();
    expect(await redis.hset(name, { one: "1x", 2: { two: true }, three: 3 })).toBe(3);
    await redis.expire(name, 60);
    expect(await redis.hgetall(name)).toEqual({ one: "1x", 2: { two: true }, three: 3 });
    expect(await redis.hmget(name, "one", "none")).toEqual({ one: "1x", none: null });
    expect(await redis.hrandfield(name, 10, true)).toEqual({
      one: "1x",
      2: { two: true },
      three: 3,
    });
    expect(Object.keys((await redis.hrandfield(name, 2, true)) ?? {})).toHaveLength(2);
    expect(["one", 2, "three"]).toContain(await redis.hrandfield(name));
    expect(await redis.hdel(name, "one", "none")).toBe(1);
    expect(await redis.hlen(name)).toBe(2);
    expect(await redis.hgetall(key())).toBeNull();
    expect(await redis.hrandfield(key(), 2, true)).toBeNull();
  });

  it("keeps sorted sets", async () => {
    const name = key();
    expect(
      await redis.zadd(
        name,
        { score: 1, member: "a" },
        { score: 2.5, member: "b" },
        { score: 9, member: "c" },
      ),
    ).toBe(3);
    await redis.expire(name, 60);
    expect(await redis.zrange(name, 1, 3, { byScore: true })).toEqual(["a", "b"]);
    expect(await redis.zrange(name, 0, -1, { withScores: true })).toEqual([
      "a",
      1,
      "b",
      2.5,
      "c",
      9,
    ]);
    expect(await redis.exec(["ZRANGEBYSCORE", name, "(1", "+inf", "LIMIT", "0", "1"])).toEqual([
      "b",
    ]);
    expect(await redis.zscore(name, "b")).toBe(2.5);
    expect(await redis.zremrangebyscore(name, 0, 2)).toBe(1);
    expect(await redis.zcard(name)).toBe(2);
  });

  const CLAIM = `
    if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then
      redis.call('HSET', KEYS[2], ARGV[1], cjson.encode({ at = tonumber(ARGV[2]) }))
      redis.call('EXPIRE', KEYS[2], ARGV[2])
      return { 1, redis.call('HGETALL', KEYS[2]), false, 'text', { redis.call('HLEN', KEYS[2]) } }
    end
    return redis.error_reply('SEEN before')`;

  it("runs scripts that set, hash and expire, and passes on the errors they return", async () => {
    const keys = [key(), key()];
    expect(await redis.eval(CLAIM, keys, ["me", "60"])).toEqual([
      1,
      ["me", { at: 60 }],
      null,
      "text",
      [1],
    ]);
    expect(await redis.ttl(keys[1] ?? "")).toBeGreaterThan(50);
    await expect(redis.eval(CLAIM, keys, ["me", "60"])).rejects.toThrow("SEEN before");
  });

  it("lets scripts sample", async () => {
    const name = key();
    await redis.eval(
      `redis.call('HSET', KEYS[1], 'f', 'v') redis.call('SADD', KEYS[2], 'm')
       redis.call('EXPIRE', KEYS[1], 60) redis.call('EXPIRE', KEYS[2], 60) return 1`,
      [name, `${name}:set`],
      [],
    );
    const script = `return { redis.call('HRANDFIELD', KEYS[1], 5, 'WITHVALUES'),
      redis.call('SRANDMEMBER', KEYS[2]), redis.call('SPOP', KEYS[2]) }`;
    expect(await redis.eval(script, [name, `${name}:set`], [])).toEqual([["f", "v"], "m", "m"]);
  });

  it("runs a script by its hash, and says so where it does not know it", async () => {
    const script = redis.createScript<[string, number]>(
      `return { ARGV[1], ${Math.floor(Math.random() * 1e9)} * 0 + 7 }`,
    );
    const hash = Bun.CryptoHasher.hash("sha1", script.script, "hex");
    await expect(redis.evalsha(hash, [], ["x"])).rejects.toThrow("NOSCRIPT");
    expect(await script.exec([], ["x"])).toEqual(["x", 7]);
    expect(await redis.evalsha(hash, [], ["y"])).toEqual(["y", 7]);
  });

  it("answers a pipeline one by one, also where one fails", async () => {
    const [text, hash] = [key(), key()];
    const pipeline = redis.pipeline();
    pipeline.set(text, "v", { ex: 60 });
    pipeline.hset(hash, { f: "v" });
    pipeline.incr(hash);
    pipeline.get(text);
    pipeline.expire(hash, 60);
    const [set, hset, incr, get, expire] = await pipeline.exec({ keepErrors: true });
    expect([set?.result, hset?.result, get?.result, expire?.result]).toEqual(["OK", 1, "v", 1]);
    expect(incr?.error).toContain("WRONGTYPE");
  });

  it("runs a transaction with nothing in between", async () => {
    const name = key();
    const append = async (): Promise<unknown[]> => {
      const transaction = redis.multi();
      transaction.rpush(name, "a", "b");
      transaction.lrange(name, -2, -1);
      transaction.expire(name, 60);
      return transaction.exec();
    };
    const others = Array.from({ length: 20 }, () => redis.rpush(name, "x"));
    const results = await Promise.all(Array.from({ length: 20 }, append));
    await Promise.all(others);
    for (const [, last] of results) expect(last).toEqual(["a", "b"]);
  });

  it("tells errors within a transaction apart, and drops one that is not understood", async () => {
    const name = key();
    const transaction = redis.multi();
    transaction.hset(name, { f: "v" });
    transaction.incr(name);
    transaction.expire(name, 60);
    const [hset, incr] = await transaction.exec({ keepErrors: true });
    expect(hset?.result).toBe(1);
    expect(incr?.error).toContain("WRONGTYPE");

    const response = await fetch(`${server.origin}/multi-exec`, {
      method: "POST",
      headers: { authorization: `Bearer ${SECRET}` },
      body: JSON.stringify([["SET", name, "gone"], ["NO-SUCH-COMMAND"]]),
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining("EXECABORT") });
    expect(await redis.type(name)).toBe("hash");
  });

  it("passes on errors of commands", async () => {
    const name = key();
    await redis.set(name, "text", { ex: 60 });
    await expect(redis.hset(name, { f: 1 })).rejects.toThrow("WRONGTYPE");
    await expect(redis.exec(["NO-SUCH-COMMAND"])).rejects.toThrow("unknown command");
  });

  it.each(["blpop", "SUBSCRIBE", "multi", "select", "QUIT", "client"])(
    "refuses %s, which would be felt by everyone",
    async (command) => {
      await expect(redis.exec([command, "x", "0"])).rejects.toThrow("not available over REST");
    },
  );
});
