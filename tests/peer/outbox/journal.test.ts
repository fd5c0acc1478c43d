import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { openJournal, readJournal } from "#peer/outbox/journal";
import { temporaryFolder } from "../home/temporary-folder";

const MODULE = pathToFileURL(join(import.meta.dirname, "../../../peer/src/outbox/journal.ts")).href;

async function journalFile(): Promise<string> {
  return join(await temporaryFolder(), "journal");
}

it("holds what was written, line by line, and begins anew when it is opened again", async () => {
  const path = await journalFile();
  expect(readJournal(path)).toBe("");
  const journal = openJournal(path);
  journal.append("one\n");
  journal.append("zwölf\n");
  expect(readJournal(path)).toBe("one\nzwölf\n");
  expect(journal.bytes).toBe(11);
  journal.close();
  const again = openJournal(path);
  expect([readJournal(path), again.bytes]).toEqual(["", 0]);
  again.close();
});

it("puts other lines in place of its own, or none, and goes on behind them", async () => {
  const path = await journalFile();
  const journal = openJournal(path);
  journal.append("one\n");
  journal.replace("two\nthree\n");
  expect(journal.bytes).toBe(10);
  journal.append("four\n");
  expect([readJournal(path), journal.bytes]).toEqual(["two\nthree\nfour\n", 15]);
  journal.replace("");
  journal.append("five\n");
  expect([readJournal(path), journal.bytes]).toEqual(["five\n", 5]);
  journal.close();
});

it("is as it was where it cannot be replaced, and goes on", async () => {
  const path = await journalFile();
  const journal = openJournal(path);
  journal.append("one\n");
  mkdirSync(`${path}.next`);
  expect(() => journal.replace("two\n")).toThrow();
  rmdirSync(`${path}.next`);
  journal.append("three\n");
  expect([readJournal(path), journal.bytes]).toEqual(["one\nthree\n", 10]);
  journal.close();
});

it("can be read by its owner alone", async () => {
  const path = await journalFile();
  const journal = openJournal(path);
  expect(Bun.file(path).size).toBe(0);
  journal.replace("one\n");
  journal.close();
  expect(await Bun.$`stat -c %a ${path}`.text()).toBe("600\n");
});

it("keeps nothing of a line for which there is no room, and says so", async () => {
  const path = await journalFile();
  const script = `
    import { openJournal } from ${JSON.stringify(MODULE)};
    const journal = openJournal(${JSON.stringify(path)});
    const attempt = (run) => { try { run(); return true; } catch { return false; } };
    const line = "x".repeat(999) + "\\n";
    let kept = 0;
    while (kept < 1_000 && attempt(() => journal.append(line))) kept += 1;
    const short = attempt(() => journal.append("y\\n"));
    const anew = attempt(() => journal.replace(line.repeat(kept + 1)));
    console.log(JSON.stringify({ kept, short, anew, bytes: journal.bytes }));
  `;
  const full = Bun.spawn(
    // Files larger than 100 KiB cannot be written by it.
    ["sh", "-c", 'trap \'\' XFSZ; ulimit -f 200; exec "$0" -e "$1"', process.execPath, script],
    { stderr: "pipe" },
  );
  const said = await new Response(full.stdout).text();
  expect(await new Response(full.stderr).text()).toBe("");
  const { kept, short, anew, bytes } = JSON.parse(said);
  expect([kept, short, anew]).toEqual([102, true, false]);
  const text = readFileSync(path, "utf8");
  expect(text).toBe(`${`${"x".repeat(999)}\n`.repeat(kept)}y\n`);
  expect(bytes).toBe(text.length);
  expect(existsSync(`${path}.next`)).toBe(false);
});
