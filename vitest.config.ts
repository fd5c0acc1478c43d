import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: [
      "tests/conformance/**",
      "tests/chaos/**",
      "tests/gpu/**",
      "node_modules/**",
      // Where statements wait for each other: the embedded database runs one at a time (npm run test:stores).
      ...(process.env["TROOP_TEST_DATABASE_URL"] === undefined ? ["**/*.postgres.test.ts"] : []),
    ],
    // Under Bun only the threads pool starts; the tests need Bun's own APIs (serve, sqlite).
    pool: "threads",
    // Most of a test is waiting. vitest leaves a core free by default, which is half of a machine with two.
    maxWorkers: Math.max(2, availableParallelism()),
    // For what hangs alone: a test waits for what happens, however long that takes a slow or a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What is waited for comes within moments, but on a busy machine not within vitest's one second.
    expect: { poll: { timeout: 20_000 } },
  },
});
