import type { Machine } from "./machine";
import type { Probe } from "./probe";

const FOLDER = "/sys/class/power_supply";

/** Linux: on battery where a battery of the machine (not of a mouse) empties and no charger is plugged in. */
export const powerSupply: Probe<"power"> = {
  signal: "power",
  source: FOLDER,
  async read(machine) {
    const names = await machine.list(FOLDER);
    const supplies = await Promise.all(names.map((name) => readSupply(machine, name)));
    const batteries = supplies.filter(
      ({ type, scope }) => type === "Battery" && scope !== "Device",
    );
    if (batteries.length === 0) return { ok: false, reason: "none" };
    const isPlugged = supplies.some(({ type, online }) => type !== "Battery" && online === "1");
    const isDraining = batteries.some(({ status }) => status === "Discharging");
    return { ok: true, value: { isOnBattery: isDraining && !isPlugged } };
  },
};

type Supply = { readonly [Name in "type" | "scope" | "online" | "status"]: string | undefined };

async function readSupply(machine: Machine, name: string): Promise<Supply> {
  const fact = async (file: string): Promise<string | undefined> => {
    const text = await machine.read(`${FOLDER}/${name}/${file}`);
    return text.ok ? text.value.trim() : undefined;
  };
  const [type, scope, online, status] = await Promise.all(
    ["type", "scope", "online", "status"].map(fact),
  );
  return { type, scope, online, status };
}
