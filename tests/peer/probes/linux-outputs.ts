import type { Script } from "./scripted-machine";

/** Written by the formats that systemd's, GNOME's and X's manuals document, not recorded. Times are added by the tests. */

/** `loginctl list-sessions --no-legend`, by version of systemd. */
export const SESSIONS = {
  systemd249: "      2 1000 alice seat0 tty2\n     c1  120 gdm   seat0 tty1\n",
  systemd255: "2 1000 alice seat0 tty2  active no  -\n",
  systemd257:
    "2 1000 alice seat0 2210 user    tty2  no   -\n3 1000 alice -     2226 manager -     no   -\n",
  nobody: "",
} as const;

type Shown = {
  readonly Class?: string;
  readonly State?: string;
  readonly Type?: string;
  readonly IdleHint?: "yes" | "no";
  readonly LockedHint?: "yes" | "no";
  /** Unix milliseconds; 0: never told. */
  readonly sinceMs?: number;
};

/** `loginctl show-session`: one block a session, in the order of the properties' names. */
export function shownSessions(...sessions: readonly Shown[]): string {
  return sessions
    .map(
      ({
        Class = "user",
        State = "active",
        Type = "tty",
        IdleHint = "no",
        LockedHint = "no",
        sinceMs = 0,
      }) =>
        [
          `Type=${Type}`,
          `Class=${Class}`,
          `State=${State}`,
          `IdleHint=${IdleHint}`,
          `IdleSinceHint=${sinceMs * 1_000}`,
          `LockedHint=${LockedHint}`,
          "",
        ].join("\n"),
    )
    .join("\n");
}

export function logind(list: string, ...sessions: readonly Shown[]): NonNullable<Script["tools"]> {
  return {
    "loginctl list-sessions": list,
    "loginctl show-session": shownSessions(...sessions),
  };
}

/** `gdbus call … GetIdletime` of GNOME 3.x to 47. */
export const mutterIdle = (ms: number) => `(uint64 ${ms},)\n`;

const SUPPLY = "/sys/class/power_supply";
export type Supply = Readonly<Record<string, string>>;

/** The files of `/sys/class/power_supply`, as the kernel's ABI documents them. */
export function powerSupplies(
  supplies: Readonly<Record<string, Supply>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(supplies).flatMap(([name, facts]) =>
      Object.entries(facts).map(([file, value]) => [`${SUPPLY}/${name}/${file}`, `${value}\n`]),
    ),
  );
}
