import { readSessions } from "./logind";
import type { Machine, Text } from "./machine";
import { type Probe, TOOL_LIMIT_MS } from "./probe";

const MUTTER = [
  "gdbus call --session --timeout 1",
  "--dest org.gnome.Mutter.IdleMonitor",
  "--object-path /org/gnome/Mutter/IdleMonitor/Core",
  "--method org.gnome.Mutter.IdleMonitor.GetIdletime",
]
  .join(" ")
  .split(" ");

/**
 * When a person last touched this machine: at the desktop as GNOME (Wayland or X11) or the X server tell to the
 * millisecond, else as logind knows, and at each terminal. Where nobody is logged in, everybody is away.
 */
export const linuxInput: Probe<"input"> = {
  signal: "input",
  source: "logind",
  async read(machine) {
    const sessions = await readSessions(machine);
    if (!sessions.ok) return sessions;
    const desktops = sessions.value.filter(({ isGraphical }) => isGraphical);
    const terminals = sessions.value.filter(({ isGraphical }) => !isGraphical);
    const desktopMs =
      desktops.length === 0 ? undefined : ((await askDesktop(machine)) ?? leastOf(desktops));
    const known = [desktopMs, leastOf(terminals)].filter((ms) => ms !== undefined);
    const idleMs = known.length === 0 ? machine.wallMs() : Math.min(...known);
    return { ok: true, value: { idleMs } };
  },
};

/** `undefined` where neither is there. Both look at the session in which this process has its environment from. */
async function askDesktop(machine: Machine): Promise<number | undefined> {
  const mutter = millisecondsIn(await machine.run(MUTTER, TOOL_LIMIT_MS), /^\(uint64 (\d+),\)\s*$/);
  if (mutter !== undefined) return mutter;
  return millisecondsIn(await machine.run(["xprintidle"], TOOL_LIMIT_MS), /^(\d+)\s*$/);
}

function millisecondsIn(text: Text, pattern: RegExp): number | undefined {
  const digits = text.ok ? pattern.exec(text.value)?.[1] : undefined;
  return digits === undefined ? undefined : Number(digits);
}

function leastOf(sessions: readonly { readonly idleMs: number | undefined }[]): number | undefined {
  const known = sessions.map(({ idleMs }) => idleMs).filter((ms) => ms !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
