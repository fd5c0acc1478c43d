import type { Machine, Text } from "#peer/probes/machine";

/** What tools print (by their name, or by name and first argument) and files hold; what is not named is not there. */
export type Script = {
  readonly tools?: Readonly<Record<string, string | Text>>;
  readonly files?: Readonly<Record<string, string | Text>>;
  readonly cpu?: { readonly idleMs: number; readonly busyMs: number };
};

/** A machine that answers by a script, which may be another one each time. */
export function scriptedMachine(
  script: () => Script,
  wallMs: () => number = Date.now,
): Machine & { readonly ran: string[][] } {
  const ran: string[][] = [];
  return {
    ran,
    async run(command) {
      ran.push([...command]);
      const { tools = {} } = script();
      const keys = command.map((_, at) => command.slice(0, command.length - at).join(" "));
      const key = keys.find((each) => tools[each] !== undefined) ?? "";
      return asText(tools[key]);
    },
    follow: () => ({ stop: () => {} }),
    async read(path) {
      return asText(script().files?.[path]);
    },
    async list(path) {
      const inside = Object.keys(script().files ?? {}).filter((file) =>
        file.startsWith(`${path}/`),
      );
      return [
        ...new Set(inside.map((file) => file.slice(path.length + 1).split("/")[0] ?? "")),
      ].toSorted();
    },
    wallMs,
    cpuTimes: () => script().cpu ?? { idleMs: 0, busyMs: 0 },
  };
}

function asText(said: string | Text | undefined): Text {
  if (said === undefined) return { ok: false, reason: "absent" };
  return typeof said === "string" ? { ok: true, value: said } : said;
}
