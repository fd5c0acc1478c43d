import { describe, expect, it } from "vitest";
import { checkRows, type RowsOpened } from "#protocol/poh/check-rows";
import { makeRowCheck } from "#protocol/poh/freivalds";
import { keyOfA } from "#protocol/poh/matrix";
import { bindRows, computeRows, NONCE, type Rows, SEED } from "#support/hardware-run";

const NODE = "n".repeat(43);
const COUNT = 1_024;
const check = makeRowCheck(SEED, new Uint8Array(32).fill(3));
const key = keyOfA(NONCE, NODE);
const rows = computeRows(COUNT, { nodeId: NODE });
const OPEN = Array.from({ length: 64 }, (_, at) => 16 * at + (at % 16));
const refused = (reason: string) => ({ ok: false, reason });

function verdict(
  shown: Rows,
  bound: Rows = shown,
  change: (opened: RowsOpened) => RowsOpened = (same) => same,
) {
  const { committed, open } = bindRows(shown, bound);
  return checkRows(OPEN, committed, change(open(OPEN)), key, check);
}

const changed = (numbers: readonly number[], change: (row: Uint8Array) => Uint8Array): Rows =>
  rows.map((row, number) => (numbers.includes(number) ? change(row) : row));
const withByte = (row: Uint8Array, at: number, value: number): Uint8Array => row.with(at, value);

it("takes rows that are right and were bound", () => {
  expect(verdict(rows)).toEqual({ ok: true, value: undefined });
});

describe("wrong rows", () => {
  it.each([0, 511, 1_023])("refuses a row that is wrong in column %i alone", (column) => {
    const wrong = changed([0], (row) => withByte(row, column, ((row[column] ?? 0) + 1) % 251));
    expect(verdict(wrong)).toEqual(refused("wrong_result"));
  });

  it("refuses a value of 251 or more, which is the same modulo 251", () => {
    const number = OPEN.find((one) => rows[one]?.some((value) => value < 5)) ?? 0;
    const at = rows[number]?.findIndex((value) => value < 5) ?? 0;
    const wrong = changed([number], (row) => withByte(row, at, (row[at] ?? 0) + 251));
    expect(verdict(wrong)).toEqual(refused("wrong_result"));
  });

  it("refuses sums that were kept modulo 256", () => {
    expect(verdict(changed(OPEN, (row) => row.map((value) => (value * 5) % 256)))).toEqual(
      refused("wrong_result"),
    );
  });

  it("refuses rows of zeros", () => {
    expect(verdict(changed([16 + 1], (row) => new Uint8Array(row.length)))).toEqual(
      refused("wrong_result"),
    );
  });

  it("refuses the rows of another node, of another run and of another epoch", () => {
    const others = [
      { nodeId: "o".repeat(43) },
      { nodeId: NODE, nonce: new Uint8Array(32).fill(8) },
      { nodeId: NODE, seed: new Uint8Array(32).fill(6) },
    ];
    for (const other of others) {
      expect(verdict(computeRows(COUNT, other))).toEqual(refused("wrong_result"));
    }
  });

  it("refuses the right rows at each other's places", () => {
    const swapped = rows.map((row, number) => (number < 2 ? (rows[1 - number] ?? row) : row));
    expect(verdict(swapped)).toEqual(refused("wrong_result"));
  });
});

describe("rows that were not bound", () => {
  it("refuses a right row of which something else was bound: it was computed after it was asked for", () => {
    const bound = changed([0], (row) => withByte(row, 9, ((row[9] ?? 0) + 1) % 251));
    expect(verdict(rows, bound)).toEqual(refused("not_committed"));
  });

  it("refuses leaves and paths that were changed, cut or lengthened", () => {
    const longer = (bytes: Uint8Array) => Uint8Array.from([...bytes, ...new Uint8Array(32)]);
    const changes: ((opened: RowsOpened) => RowsOpened)[] = [
      (opened) => ({ ...opened, leaves: opened.leaves.with(0, (opened.leaves[0] ?? 0) ^ 1) }),
      (opened) => ({ ...opened, leaves: opened.leaves.subarray(8) }),
      (opened) => ({ ...opened, leaves: longer(opened.leaves) }),
      (opened) => ({ ...opened, path: longer(opened.path) }),
      (opened) => ({ ...opened, leaves: new Uint8Array(), path: new Uint8Array() }),
    ];
    for (const change of changes) {
      expect(verdict(rows, rows, change)).toEqual(refused("not_committed"));
    }
  });

  it("refuses a commitment of another run: its rows are another's", () => {
    const other = bindRows(computeRows(COUNT, { nodeId: "o".repeat(43) }));
    const opened = bindRows(rows).open(OPEN);
    expect(checkRows(OPEN, other.committed, opened, key, check)).toEqual(refused("not_committed"));
  });
});

it("refuses openings of too few rows, of too many, of parts of rows and of nothing", () => {
  const { committed, open } = bindRows(rows);
  const opened = open(OPEN);
  const shapes = [
    opened.rows.subarray(1_024),
    Uint8Array.from([...opened.rows, ...new Uint8Array(1_024)]),
    opened.rows.subarray(1),
    new Uint8Array(),
  ];
  for (const shape of shapes) {
    const said = checkRows(OPEN, committed, { ...opened, rows: shape }, key, check);
    expect(said).toEqual(refused("opening_malformed"));
  }
});
