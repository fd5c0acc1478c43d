/** Minutes of the local week, Monday 00:00 first; `end` may lie beyond the week's end. */
export type Window = { readonly startMin: number; readonly endMin: number };

export type Schedule = {
  readonly windows: readonly Window[];
  /** IANA name, such as `Europe/Berlin`. */
  readonly timeZone: string;
};

const DAY_MIN = 24 * 60;
const WEEK_MIN = 7 * DAY_MIN;
const MINUTE_MS = 60_000;
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WINDOW = /^([a-z,-]+) +(\d{2}:\d{2})-(\d{2}:\d{2})$/;

/** `Mon-Fri 20:00-07:00`, `Sat,Sun 00:00-24:00`, `daily 22:00-06:00`; one window a day; `undefined` for what is none. */
export function parseWindows(text: string): readonly Window[] | undefined {
  const [, dayText = "", startText = "", endText = ""] =
    WINDOW.exec(text.trim().toLowerCase()) ?? [];
  const days = parseDays(dayText);
  const start = parseTimeOfDay(startText);
  const end = endText === "24:00" ? DAY_MIN : parseTimeOfDay(endText);
  if (days === undefined || start === undefined || end === undefined || start === end)
    return undefined;
  // An end before the start is the next day's.
  const lengthMin = end > start ? end - start : end - start + DAY_MIN;
  return days.map((day) => ({
    startMin: day * DAY_MIN + start,
    endMin: day * DAY_MIN + start + lengthMin,
  }));
}

/** `18:00` as minutes since midnight; `undefined` for what is no time of a day. */
export function parseTimeOfDay(text: string): number | undefined {
  const [, hours, minutes] = /^(\d{2}):(\d{2})$/.exec(text) ?? [];
  const isTime = hours !== undefined && Number(hours) < 24 && Number(minutes) < 60;
  return isTime ? Number(hours) * 60 + Number(minutes) : undefined;
}

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch {
    return false; // It throws for names that it does not know.
  }
}

export type ScheduleState = {
  readonly isOpen: boolean;
  /** Unix milliseconds of the next change; `undefined` where there is none. */
  readonly changesAtMs: number | undefined;
};

export function scheduleAt({ windows, timeZone }: Schedule, nowMs: number): ScheduleState {
  const isOpenAt = (minute: number): boolean =>
    windows.some(({ startMin, endMin }) => {
      const sinceStart = (((minute - startMin) % WEEK_MIN) + WEEK_MIN) % WEEK_MIN;
      return sinceStart < endMin - startMin;
    });
  const now = minuteOfWeek(nowMs, timeZone);
  const isOpen = isOpenAt(now);
  const next = windows
    .flatMap(({ startMin, endMin }) => [startMin, endMin])
    .filter((minute) => isOpenAt(minute) !== isOpen)
    .map((minute) => (((minute - now - 1) % WEEK_MIN) + WEEK_MIN) % WEEK_MIN)
    .toSorted((a, b) => a - b)[0];
  if (next === undefined) return { isOpen, changesAtMs: undefined };
  return { isOpen, changesAtMs: inLocalMinutes(nowMs, next + 1, timeZone) };
}

/** The next moment at which the clock on the wall shows a time of day. */
export function nextTimeOfDay(minuteOfDay: number, timeZone: string, nowMs: number): number {
  const now = minuteOfWeek(nowMs, timeZone) % DAY_MIN;
  const inMin = (minuteOfDay - now + DAY_MIN) % DAY_MIN || DAY_MIN;
  return inLocalMinutes(nowMs, inMin, timeZone);
}

/** The start of the minute that the clock on the wall shows after so many minutes, whatever summer time does meanwhile. */
function inLocalMinutes(nowMs: number, minutes: number, timeZone: string): number {
  const wanted = (minuteOfWeek(nowMs, timeZone) + minutes) % WEEK_MIN;
  const guess = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS + minutes * MINUTE_MS;
  const off = ((wanted - minuteOfWeek(guess, timeZone) + WEEK_MIN * 1.5) % WEEK_MIN) - WEEK_MIN / 2;
  return guess + off * MINUTE_MS;
}

function minuteOfWeek(ms: number, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(ms);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "";
  const day = DAYS.indexOf(part("weekday").toLowerCase());
  return day * DAY_MIN + Number(part("hour")) * 60 + Number(part("minute"));
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  formats.set(timeZone, made);
  return made;
}

function parseDays(text: string): readonly number[] | undefined {
  if (text === "daily") return DAYS.map((_, day) => day);
  const days = text.split(",").map(parseDayRange);
  return days.every((range) => range !== undefined) ? [...new Set(days.flat())] : undefined;
}

/** `fri` or `fri-mon`, which goes over the week's end. */
function parseDayRange(text: string): readonly number[] | undefined {
  const [first = "", last = first, ...more] = text.split("-");
  const from = DAYS.indexOf(first);
  const to = DAYS.indexOf(last);
  if (from === -1 || to === -1 || more.length > 0) return undefined;
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, at) => (from + at) % 7);
}
