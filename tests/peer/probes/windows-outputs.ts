/** Written by the formats that Windows 10 and 11 have, not recorded. */

type Instance = {
  readonly pid: number;
  readonly engine?: number;
  readonly type?: string;
  readonly percent: number | "";
};

/** `typeperf "\GPU Engine(*)\Utilization Percentage" -sc 1`. */
export function typeperfCsv(instances: readonly Instance[]): string {
  const head = instances.map(
    ({ pid, engine = 0, type = "3D" }) =>
      `"\\\\DESKTOP\\GPU Engine(pid_${pid}_luid_0x00000000_0x0000c5a1_phys_0_eng_${engine}_engtype_${type})\\Utilization Percentage"`,
  );
  const values = instances.map(({ percent }) =>
    percent === "" ? '" "' : `"${percent.toFixed(6)}"`,
  );
  return [
    "",
    ['"(PDH-CSV 4.0)"', ...head].join(","),
    ['"01/07/2030 12:00:01.123"', ...values].join(","),
    "Exiting, please wait...                         ",
    "The command completed successfully.",
    "",
  ].join("\r\n");
}

/** `tasklist /fo csv /nh`. */
export const tasklistCsv = (programs: Readonly<Record<number, string>>) =>
  Object.entries(programs)
    .map(([pid, name]) => `"${name}","${pid}","Console","1","123,456 K"\r\n`)
    .join("");
