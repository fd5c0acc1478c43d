import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { devDependencies, scripts } from "../../package.json";
import { ROOT } from "./run-program";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

it("fetches one version of Bun, the one that is locked, before whatever a fresh clone may run first", () => {
  const install = `npx --yes bun@${devDependencies.bun} install --frozen-lockfile`;
  for (const [name, line] of Object.entries(scripts)) {
    if (line.includes("npx")) expect(line, name).toBe(install);
  }
  for (const first of ["start", "test", "build", "self-host", "deploy", "db:migrate"]) {
    expect(scripts, first).toHaveProperty([`pre${first}`], install);
  }
});

it("names every action of every workflow by a commit", () => {
  const folder = ".github/workflows";
  const uses = readdirSync(join(ROOT, folder)).flatMap((file) =>
    [...read(join(folder, file)).matchAll(/uses:\s*(\S+)/g)].map((match) => match[1]),
  );
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^[\w./-]+@[0-9a-f]{40}$/);
});

it("has a README of 200 lines at most that opens with the two commands", () => {
  const lines = read("README.md").trimEnd().split("\n");
  expect(lines.length).toBeLessThanOrEqual(200);
  expect(lines.slice(1, 6)).toEqual(["", "```", "npm start", "npm test", "```"]);
});

it("documents no npm script that is not there", () => {
  const named = [
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "docs/operators.md",
    "docs/peers.md",
  ]
    .flatMap((file) => [...read(file).matchAll(/npm run (?:-s |--silent )?([\w:-]+)/g)])
    .map((match) => match[1] ?? "");
  expect(named.length).toBeGreaterThan(10);
  for (const name of named) expect(scripts).toHaveProperty([name]);
});
