import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/gpu/**/*.test.ts"],
    pool: "threads",
    // Software renders a batch in a second.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
