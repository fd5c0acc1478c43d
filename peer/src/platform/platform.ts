import type { NetworkInterfaceInfo } from "node:os";
import type { Machine } from "../probes/machine";
import type { Probe } from "../probes/probe";
import { darwin } from "./darwin";
import { linux } from "./linux";
import { windows } from "./windows";

/** What differs between operating systems. */
export type Platform = {
  /** The folder in which programs keep settings for this user. */
  readonly configFolder: (env: Env, homeFolder: string) => string;
  /** Ways to learn whether somebody uses this machine; each may come to nothing on a given one. */
  readonly probes: () => readonly Probe[];
  /** Absent: this system tells a program like ours nothing of its sleep. The result ends the watch. */
  readonly watchSleep?: (
    machine: Pick<Machine, "follow">,
    onChange: (isAsleep: boolean) => Promise<void>,
  ) => () => void;
  /** Where local pipes have their names; `undefined` where sockets are files. */
  readonly pipeFolder: string | undefined;
  /** Files carry an owner and POSIX permission bits. */
  readonly hasPosixModes: boolean;
  /** Whether a network interface of this name is Tailscale's by convention. */
  readonly isTailscaleInterface: (name: string) => boolean;
};

export type Env = Readonly<Record<string, string | undefined>>;

export type NetworkInterfaces = Readonly<
  Record<string, readonly NetworkInterfaceInfo[] | undefined>
>;

/** Anything that is neither Windows nor macOS is taken for a Unix with XDG folders. */
export function platformNamed(name: NodeJS.Platform): Platform {
  if (name === "win32") return windows;
  return name === "darwin" ? darwin : linux;
}
