import { expect, it } from "vitest";
import { duration, Origin } from "#peer/cli/flag-schemas";

const Drain = duration(0, 600);

it.each([
  ["60", 60],
  ["60s", 60],
  ["5m", 300],
  ["0", 0],
  ["600s", 600],
])("reads the time %s as seconds", (text, seconds) => {
  expect(Drain.parse(text)).toBe(seconds);
});

it.each(["", "s", "-1", "1h", "1.5m", "601", "11m", " 5", "5 m"])("refuses the time %j", (text) => {
  expect(Drain.safeParse(text).error?.issues[0]?.message).toBe(
    "must be a time such as 90s, 5m or 2h, from 0s to 600s",
  );
});

it.each(["http://192.168.1.5:3000", "https://chat.example", "chrome-extension://abc"])(
  "takes the origin %s",
  (text) => {
    expect(Origin.parse(text)).toBe(text);
  },
);

it.each(["", "*", "null", "chat.example", "https://chat.example/", "https://Chat.example"])(
  "refuses the origin %j, which no browser spells so",
  (text) => {
    expect(Origin.safeParse(text).success).toBe(false);
  },
);
