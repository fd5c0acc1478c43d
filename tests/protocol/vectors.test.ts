import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { beforeAll, expect, it } from "vitest";
import { VectorFile } from "#support/vector-case";
import { OPERATIONS } from "#support/vector-operations";
import { bundleForWorkerd } from "#support/workerd-bundle";
import { runVectorSuite, type VectorResult } from "#support/vector-suite";

const VECTORS = fileURLToPath(new URL("../vectors/", import.meta.url));
const WORKER = new URL("../support/vector-worker.ts", import.meta.url);

let onDisk: { readonly file: string; readonly content: VectorFile }[];
let onBun: VectorResult[];

beforeAll(async () => {
  const names = (await readdir(VECTORS)).toSorted();
  onDisk = await Promise.all(
    names.map(async (name) => ({
      file: name.replace(/\.json$/, ""),
      content: VectorFile.parse(JSON.parse(await readFile(VECTORS + name, "utf8"))),
    })),
  );
  onBun = await runVectorSuite();
});

async function runOnWorkerd(): Promise<unknown> {
  const script = await bundleForWorkerd(WORKER);
  const workerd = new Miniflare({
    modules: true,
    script,
    compatibilityDate: "2026-07-01",
    compatibilityFlags: ["nodejs_compat"],
  });
  try {
    return await (await workerd.dispatchFetch("http://vectors.test/")).json();
  } finally {
    await workerd.dispose();
  }
}

it("every vector on disk runs, under its own name, and none fails on Bun", () => {
  const names = onDisk.flatMap(({ file, content }) =>
    content.cases.map((one) => `${file}: ${one.name}`),
  );
  expect(onBun.map((result) => result.name)).toEqual(names);
  expect(new Set(names).size).toBe(names.length);
  expect(onBun.filter((result) => !result.ok)).toEqual([]);
});

it("workerd comes to the same results as Bun, one by one", async () => {
  const onWorkerd = await runOnWorkerd();
  // Bun's results through JSON as well: both sides as they would cross the wire.
  expect(onWorkerd).toEqual(JSON.parse(JSON.stringify(onBun)));
});

it("every operation has a vector", () => {
  const used = new Set(onDisk.flatMap(({ content }) => content.cases.map((one) => one.op)));
  expect([...used].toSorted()).toEqual(Object.keys(OPERATIONS).toSorted());
});

it("a vector that expects something else fails, and says what came instead", async () => {
  const [known] = onDisk.find(({ file }) => file === "microcredits")?.content.cases ?? [];
  const broken = { about: "broken", cases: [{ ...known, expect: 1 }] };
  expect(await runVectorSuite({ broken })).toEqual([
    { name: `broken: ${known?.name}`, ok: false, got: 0 },
  ]);
});

it("a vector whose input is misspelt fails instead of checking nothing", async () => {
  const input = { private_key: {}, extra: 1 };
  const cases = [
    { name: "misspelt", op: "open_identity", input, expect: "throws" },
    { name: "unknown", op: "open_sesame", input, expect: "throws" },
  ];
  const results = await runVectorSuite({ broken: { about: "broken", cases } });
  expect(results.map((result) => result.ok)).toEqual([false, false]);
});
