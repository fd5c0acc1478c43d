import { expect, it } from "vitest";
import { linuxInput } from "#peer/probes/linux-input";
import { logind, mutterIdle, SESSIONS } from "./linux-outputs";
import { type Script, scriptedMachine } from "./scripted-machine";

const NOW = Date.UTC(2030, 0, 7, 12);
const read = (tools: Script["tools"]) =>
  linuxInput.read(
    scriptedMachine(
      () => ({ ...(tools !== undefined && { tools }) }),
      () => NOW,
    ),
  );
const idle = (idleMs: number) => ({ ok: true, value: { idleMs } });

it.each([SESSIONS.systemd249, SESSIONS.systemd255, SESSIONS.systemd257])(
  "finds the sessions in every version's list: %j",
  async (list) => {
    const machine = scriptedMachine(
      () => ({ tools: logind(list, { sinceMs: NOW - 5_000 }) }),
      () => NOW,
    );
    expect(await linuxInput.read(machine)).toEqual(idle(5_000));
    expect(machine.ran[1]?.slice(0, 3)).toEqual(["loginctl", "show-session", "2"]);
  },
);

it("asks GNOME, then the X server, before it believes logind", async () => {
  const tools = logind(SESSIONS.systemd255, { Type: "wayland", sinceMs: NOW - 1 });
  expect(await read({ ...tools, gdbus: mutterIdle(52_817), xprintidle: "1\n" })).toEqual(
    idle(52_817),
  );
  expect(await read({ ...tools, xprintidle: "730\n" })).toEqual(idle(730));
  expect(
    await read({ ...tools, gdbus: "Error: no such name\n", xprintidle: "couldn't open display\n" }),
  ).toEqual(idle(0));
});

it("takes a desktop for used until it says since when it is idle", async () => {
  const since = { Type: "x11", sinceMs: NOW - 400_000 };
  expect(await read(logind(SESSIONS.systemd255, { ...since, IdleHint: "no" }))).toEqual(idle(0));
  expect(await read(logind(SESSIONS.systemd255, { ...since, IdleHint: "yes" }))).toEqual(
    idle(400_000),
  );
});

it("takes a desktop that tells nobody for used until it is locked", async () => {
  const silent = { Type: "wayland" };
  expect(await read(logind(SESSIONS.systemd255, silent))).toEqual(idle(0));
  expect(await read(logind(SESSIONS.systemd255, { ...silent, LockedHint: "yes" }))).toEqual(
    idle(NOW),
  );
  const blanked = { ...silent, LockedHint: "yes", IdleHint: "yes", sinceMs: NOW - 70_000 } as const;
  expect(await read(logind(SESSIONS.systemd255, blanked))).toEqual(idle(70_000));
});

it("takes the latest of several sessions, and a terminal's last key whatever the hint says", async () => {
  const desktop = { Type: "x11", IdleHint: "yes", sinceMs: NOW - 900_000 } as const;
  const terminal = { Type: "tty", IdleHint: "no", sinceMs: NOW - 60_000 } as const;
  expect(await read(logind(SESSIONS.systemd249, desktop, terminal))).toEqual(idle(60_000));
  expect(await read(logind(SESSIONS.systemd249, terminal, { sinceMs: NOW - 30_000 }))).toEqual(
    idle(30_000),
  );
});

it.each(["user", "user-early", "user-light", "user-early-light"])(
  "counts a session of the class %s: somebody is there",
  async (Class) => {
    const session = { Class, sinceMs: NOW - 4_000 };
    expect(await read(logind(SESSIONS.systemd257, session))).toEqual(idle(4_000));
  },
);

it("counts neither the login screen nor sessions that end, and knows that nobody is there", async () => {
  const others = [
    { Class: "greeter", Type: "wayland", sinceMs: NOW },
    { State: "closing", sinceMs: NOW },
    { Class: "manager", sinceMs: NOW },
    { Class: "background-light", sinceMs: NOW },
    { Class: "user-incomplete", sinceMs: NOW },
  ];
  expect(await read(logind(SESSIONS.systemd257, ...others))).toEqual(idle(NOW));
  expect(await read({ "loginctl list-sessions": SESSIONS.nobody })).toEqual(idle(NOW));
});

it.each<[string, Script["tools"], string]>([
  ["no logind", {}, "absent"],
  ["a container", { loginctl: { ok: false, reason: "failed" } }, "failed"],
  ["no rights", { loginctl: { ok: false, reason: "denied" } }, "denied"],
  ["a list of something else", { "loginctl list-sessions": "SESSION UID USER\n" }, "garbage"],
  [
    "facts of something else",
    { ...logind(SESSIONS.systemd255), "loginctl show-session": "hello\n" },
    "garbage",
  ],
  [
    "one that hangs later",
    { ...logind(SESSIONS.systemd255), "loginctl show-session": { ok: false, reason: "timeout" } },
    "timeout",
  ],
])("says that it does not know: %s", async (_, tools, reason) => {
  expect(await read(tools)).toEqual({ ok: false, reason });
});
