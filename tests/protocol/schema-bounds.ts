import { describe, expect, it } from "vitest";
import type { z } from "zod";

type Bounds = { readonly min: number; readonly max: number };

/** What a schema promises of its fields; a field is named by its path (`cnf.jkt`). */
type Promises = {
  /** Fields that may be left out; every other top-level field of the valid value must be there. */
  readonly optional?: readonly string[];
  /** Whole numbers, both ends included. */
  readonly integers?: Readonly<Record<string, Bounds>>;
  /** Lengths of texts of no particular form. */
  readonly texts?: Readonly<Record<string, Bounds>>;
  /** Numbers of items in lists. */
  readonly lists?: Readonly<Record<string, Bounds>>;
  /** Texts that must hold no control or direction characters. */
  readonly plain?: readonly string[];
  /** Lists of items that are judged one by one, later. */
  readonly free?: readonly string[];
  /** Values to refuse, in words, by field. */
  readonly refuses?: readonly (readonly [what: string, field: string, value: unknown])[];
  /** Values to take. */
  readonly takes?: readonly (readonly [what: string, field: string, value: unknown])[];
};

export const AMOUNT: Bounds = { min: 0, max: Number.MAX_SAFE_INTEGER };

/**
 * C0, DEL, C1 (a terminal takes U+009B for an escape sequence), half a surrogate pair, a line's end in other letters, and
 * what turns the direction of reading.
 */
const CONTROLS = Array.from(
  "\u0000\n\u001b\u007f\u0085\u009b\ud800\u2028\u061c\u200f\u202a\u202e\u2066\u2069",
);

/** Declares tests: `valid` is taken, and each broken promise is refused under the name of its field. */
export function boundsOf(name: string, schema: z.ZodType, valid: object, promises: Promises): void {
  describe(name, () => {
    it("takes a valid one, and changes nothing in it", () => {
      expect(schema.parse(valid)).toEqual(valid);
    });

    it.each(taken(valid, promises))("takes %s", (_what, field, value) => {
      const parsed = schema.safeParse(withField(valid, field, value));
      expect(parsed.error?.issues ?? []).toEqual([]);
    });

    it.each(refused(valid, promises))("refuses %s, and names the field", (_what, field, value) => {
      const parsed = schema.safeParse(withField(valid, field, value));
      const named = parsed.error?.issues.map((issue) => issue.path.join(".")) ?? [];
      expect(named.length).toBeGreaterThan(0);
      for (const path of named) expect(path === field || path.startsWith(`${field}.`)).toBe(true);
    });
  });
}

type Row = [what: string, field: string, value: unknown];

function taken(valid: object, promises: Promises): Row[] {
  const rows: Row[] = (promises.takes ?? []).map((row) => [...row]);
  for (const field of promises.optional ?? []) rows.push([`no ${field}`, field, undefined]);
  for (const [field, { min, max }] of Object.entries(promises.integers ?? {})) {
    rows.push([`${field} of ${min}`, field, min], [`${field} of ${max}`, field, max]);
  }
  for (const [field, { min, max }] of Object.entries(promises.texts ?? {})) {
    rows.push([`${field} of ${max} characters`, field, "x".repeat(max)]);
    rows.push([`${field} of ${min} characters`, field, "x".repeat(min)]);
  }
  for (const [field, { min, max }] of Object.entries(promises.lists ?? {})) {
    rows.push([`${max} items in ${field}`, field, itemsOf(valid, field, max)]);
    rows.push([`${min} items in ${field}`, field, itemsOf(valid, field, min)]);
  }
  return rows;
}

function refused(valid: object, promises: Promises): Row[] {
  const rows: Row[] = (promises.refuses ?? []).map((row) => [...row]);
  for (const [field, value] of Object.entries(valid)) {
    // A list may take items of any type, but has to be one.
    const isFree = promises.free?.includes(field) === true && Array.isArray(value);
    rows.push([`${field} of another type`, field, isFree ? { 0: null } : [null]]);
    if (promises.optional?.includes(field) !== true) rows.push([`no ${field}`, field, undefined]);
  }
  for (const [field, { min, max }] of Object.entries(promises.integers ?? {})) {
    rows.push([`${field} below ${min}`, field, min - 1], [`${field} above ${max}`, field, max + 1]);
    rows.push([`a fraction in ${field}`, field, Math.max(min, 0) + 0.5]);
    rows.push([`a text in ${field}`, field, String(min)], [`NaN in ${field}`, field, Number.NaN]);
  }
  for (const [field, { min, max }] of Object.entries(promises.texts ?? {})) {
    rows.push([`${field} over ${max} characters`, field, "x".repeat(max + 1)]);
    if (min > 0) rows.push([`${field} under ${min} characters`, field, "x".repeat(min - 1)]);
  }
  for (const [field, { min, max }] of Object.entries(promises.lists ?? {})) {
    rows.push([`${max + 1} items in ${field}`, field, itemsOf(valid, field, max + 1)]);
    if (min > 0) rows.push([`${min - 1} items in ${field}`, field, itemsOf(valid, field, min - 1)]);
  }
  for (const field of promises.plain ?? []) {
    for (const control of CONTROLS) {
      rows.push([`${JSON.stringify(control)} in ${field}`, field, `a${control}b`]);
    }
  }
  return rows;
}

function itemsOf(valid: object, field: string, count: number): unknown[] {
  const item = (readField(valid, field) as unknown[])[0];
  return Array.from({ length: count }, () => item);
}

function readField(value: unknown, field: string): unknown {
  return field
    .split(".")
    .reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

function withField(valid: object, field: string, value: unknown): object {
  const changed = structuredClone(valid);
  const keys = field.split(".");
  const last = keys.pop() ?? "";
  const parent = readField({ changed }, ["changed", ...keys].join(".")) as Record<string, unknown>;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return changed;
}
