// Runs the store tests and the main flow on a real PostgreSQL and a real Redis of its own.
// usage: npm run test:stores [-- vitest arguments]
import { cleanupStack } from "#support/cleanup-stack";
import { startPostgresServer } from "#support/postgres-server";
import { startRedisServer } from "#support/redis-server";
import { startVitest } from "#support/vitest-process";

const STORE_TESTS = ["tests/self-host", "tests/coordinator", "tests/e2e", "tests/drizzle"];

const cleanup = cleanupStack();
try {
  const postgres = await startPostgresServer();
  cleanup.add(postgres.stop);
  const redis = await startRedisServer();
  cleanup.add(redis.stop);
  console.log("PostgreSQL and Redis are up; running the tests on them");

  const given = process.argv.slice(2);
  const vitest = startVitest(given.length > 0 ? given : STORE_TESTS, {
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    TROOP_TEST_DATABASE_URL: postgres.url,
    TROOP_TEST_REDIS_URL: redis.url,
  });
  cleanup.add(vitest.stop);
  process.exitCode = await vitest.exitCode;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanup.run();
}
