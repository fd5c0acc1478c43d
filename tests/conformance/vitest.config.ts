import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: join(import.meta.dirname, "../.."),
    include: ["tests/conformance/**/*.test.ts"],
    globalSetup: ["./tests/conformance/global-setup.ts"],
    // Under Bun only the threads pool starts.
    pool: "threads",
    // The engines have few slots and the taps one journal each: what runs at once would show.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
