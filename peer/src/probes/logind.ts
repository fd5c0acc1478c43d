import type { Machine } from "./machine";
import { TOOL_LIMIT_MS } from "./probe";
import type { Outcome } from "#protocol/outcome";
import type { ProbeRefusal } from "../lending/readings";

/** A person's session on this machine, as logind knows it. */
export type Session = {
  readonly isGraphical: boolean;
  /** Milliseconds without input; `undefined` where nobody ever told logind. */
  readonly idleMs: number | undefined;
};

const PROPERTIES = ["Class", "State", "Type", "IdleHint", "IdleSinceHint", "LockedHint"];

/** Classes of people's sessions; those beside `user` came with systemd 256, and `early` ones are root's. */
const PEOPLE: ReadonlySet<string> = new Set([
  "user",
  "user-early",
  "user-light",
  "user-early-light",
]);

/** The sessions of people: neither the login screen's nor a service's. */
export async function readSessions(
  machine: Machine,
): Promise<Outcome<readonly Session[], ProbeRefusal>> {
  const listed = await machine.run(["loginctl", "list-sessions", "--no-legend"], TOOL_LIMIT_MS);
  if (!listed.ok) return listed;
  const ids = sessionIds(listed.value);
  if (ids === undefined) return { ok: false, reason: "garbage" };
  if (ids.length === 0) return { ok: true, value: [] };
  const asked = PROPERTIES.flatMap((name) => ["-p", name]);
  const shown = await machine.run(["loginctl", "show-session", ...ids, ...asked], TOOL_LIMIT_MS);
  if (!shown.ok) return shown;
  const sessions = parseSessions(shown.value, machine.wallMs());
  return sessions === undefined ? { ok: false, reason: "garbage" } : { ok: true, value: sessions };
}

/** The first column in every version; an id is digits, or `c` and digits where the kernel gave none. */
function sessionIds(text: string): readonly string[] | undefined {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const ids = lines.map((line) => /^\s*(c?\d+)\s+\d+\s/.exec(line)?.[1]);
  return ids.every((id) => id !== undefined) ? ids : undefined;
}

function parseSessions(text: string, nowMs: number): readonly Session[] | undefined {
  const blocks = text.split(/\n\s*\n/).filter((block) => block.trim() !== "");
  const sessions: Session[] = [];
  for (const block of blocks) {
    const facts = new Map(
      block.split("\n").map((line): [string, string] => {
        const [name = "", ...value] = line.split("=");
        return [name.trim(), value.join("=").trim()];
      }),
    );
    const kind = facts.get("Class");
    if (kind === undefined || !facts.has("IdleHint")) return undefined;
    if (!PEOPLE.has(kind) || facts.get("State") === "closing") continue;
    sessions.push(sessionOf(facts, nowMs));
  }
  return sessions;
}

/**
 * A terminal's last key is in `IdleSinceHint`, whatever the hint says. A desktop sets the hint when it blanks the screen, and
 * some never do: then it counts as used until it is locked.
 */
function sessionOf(facts: ReadonlyMap<string, string>, nowMs: number): Session {
  const isGraphical = ["x11", "wayland", "mir"].includes(facts.get("Type") ?? "");
  // Microseconds since 1970.
  const sinceMs = Number(facts.get("IdleSinceHint") ?? 0) / 1_000;
  const wasTold = Number.isFinite(sinceMs) && sinceMs > 0;
  const hintedMs = wasTold ? Math.max(0, nowMs - sinceMs) : undefined;
  if (!isGraphical) return { isGraphical, idleMs: hintedMs };
  if (facts.get("IdleHint") === "yes" && hintedMs !== undefined) {
    return { isGraphical, idleMs: hintedMs };
  }
  return { isGraphical, idleMs: facts.get("LockedHint") === "yes" ? nowMs : 0 };
}
