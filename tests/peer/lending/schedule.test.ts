import { expect, it } from "vitest";
import {
  isTimeZone,
  nextTimeOfDay,
  parseTimeOfDay,
  parseWindows,
  scheduleAt,
} from "#peer/lending/schedule";

const NIGHTS = { windows: parseWindows("Mon-Fri 20:00-07:00") ?? [], timeZone: "UTC" };
/** Monday, 7 January 2030. */
const MONDAY = Date.UTC(2030, 0, 7);
const at = (day: number, hour: number, minute = 0) =>
  MONDAY + ((day * 24 + hour) * 60 + minute) * 60_000;

it.each([
  ["Mon-Fri 20:00-07:00", 5],
  ["sat,Sun 00:00-24:00", 2],
  ["daily 22:00-06:00", 7],
  ["Fri-Mon 10:00-11:00", 4],
])("reads %s", (text, count) => {
  expect(parseWindows(text)).toHaveLength(count);
});

it.each([
  "",
  "20:00-07:00",
  "Mon 20:00",
  "Mon 20-07",
  "Mon 25:00-26:00",
  "Mon 10:00-10:00",
  "Mun 10:00-11:00",
  "Mon-Tue-Wed 10:00-11:00",
  "Mon 24:00-01:00",
])("does not take %j for a window", (text) => {
  expect(parseWindows(text)).toBeUndefined();
});

it("is open over midnight into the day after its last", () => {
  expect(scheduleAt(NIGHTS, at(0, 19, 59)).isOpen).toBe(false);
  expect(scheduleAt(NIGHTS, at(0, 20)).isOpen).toBe(true);
  expect(scheduleAt(NIGHTS, at(5, 6, 59)).isOpen).toBe(true);
  expect(scheduleAt(NIGHTS, at(5, 7)).isOpen).toBe(false);
  expect(scheduleAt(NIGHTS, at(6, 23)).isOpen).toBe(false);
});

it("tells when it changes, also over the week's end and in the middle of a minute", () => {
  expect(scheduleAt(NIGHTS, at(0, 20)).changesAtMs).toBe(at(1, 7));
  expect(scheduleAt(NIGHTS, at(4, 23) + 30_500).changesAtMs).toBe(at(5, 7));
  expect(scheduleAt(NIGHTS, at(5, 12)).changesAtMs).toBe(at(7, 20));
});

it("goes on where one window follows the other, and never changes where they fill the week", () => {
  const windows = [
    ...(parseWindows("Mon 08:00-12:00") ?? []),
    ...(parseWindows("Mon 12:00-14:00") ?? []),
  ];
  expect(scheduleAt({ windows, timeZone: "UTC" }, at(0, 9)).changesAtMs).toBe(at(0, 14));
  const always = { windows: parseWindows("daily 00:00-24:00") ?? [], timeZone: "UTC" };
  expect(scheduleAt(always, at(3, 3))).toEqual({ isOpen: true, changesAtMs: undefined });
});

it("keeps to the clock on the wall when summer time begins and ends", () => {
  const berlin = { windows: parseWindows("Sun 08:00-09:00") ?? [], timeZone: "Europe/Berlin" };
  // 31 March 2030, 02:00 becomes 03:00; 27 October, 03:00 becomes 02:00.
  expect(scheduleAt(berlin, Date.UTC(2030, 2, 30, 22)).changesAtMs).toBe(Date.UTC(2030, 2, 31, 6));
  expect(scheduleAt(berlin, Date.UTC(2030, 9, 26, 22)).changesAtMs).toBe(Date.UTC(2030, 9, 27, 7));
});

it("finds the next time of a day, today's or tomorrow's", () => {
  const six = parseTimeOfDay("18:00") ?? expect.unreachable();
  expect(nextTimeOfDay(six, "UTC", at(0, 17, 59))).toBe(at(0, 18));
  expect(nextTimeOfDay(six, "UTC", at(0, 18))).toBe(at(1, 18));
  expect(nextTimeOfDay(six, "Europe/Berlin", at(0, 12))).toBe(at(0, 17));
});

it("knows time zones", () => {
  expect(isTimeZone("Europe/Berlin")).toBe(true);
  expect(isTimeZone("Europe/Nowhere")).toBe(false);
});
