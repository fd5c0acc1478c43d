import type { Outcome } from "#protocol/outcome";
import type { ProbeRefusal, Readings, Signal } from "../lending/readings";
import type { Machine } from "./machine";

/** One way to learn of one signal. A machine's platform has several. Nothing in here throws. */
export type Probe<Name extends Signal = Signal> = {
  readonly [Each in Name]: {
    readonly signal: Each;
    /** For people: the tool, or where it looks. */
    readonly source: string;
    /** Takes at most some seconds. */
    read(machine: Machine): Promise<Outcome<Readings[Each], ProbeRefusal>>;
  };
}[Name];

/** What one tool may take. A probe that asks several in turn takes as much for each. */
export const TOOL_LIMIT_MS = 2_000;
