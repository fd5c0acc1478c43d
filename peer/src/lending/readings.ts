/** What was seen of this machine. Absent is what cannot be known, which is not the same as "no". */

export type Gpu = {
  readonly name: string;
  readonly driver?: string;
  /** Of all programs together. */
  readonly loadPercent?: number;
  readonly vramTotalMib?: number;
  readonly vramFreeMib?: number;
  readonly temperatureC?: number;
};

/** A program on a GPU. */
export type GpuProcess = {
  readonly pid: number;
  /** As the tool tells it: a path, or a name. */
  readonly name: string;
  readonly vramMib?: number;
  readonly loadPercent?: number;
};

export type GpuReading = {
  readonly gpus: readonly Gpu[];
  /** Absent: the tool does not tell who uses the GPUs. */
  readonly processes?: readonly GpuProcess[];
};

export type Readings = {
  /** Milliseconds since a key was pressed or the mouse was moved. */
  readonly input: { readonly idleMs: number };
  readonly gpu: GpuReading;
  readonly power: { readonly isOnBattery: boolean };
  /** Of all cores together. */
  readonly cpu: { readonly loadPercent: number };
};
export type Signal = keyof Readings;

export type ProbeRefusal = {
  readonly reason:
    /** The tool, or the file, is not on this machine. */
    | "absent"
    /** There is no such device, or no session, as the tool says itself. */
    | "none"
    | "denied"
    | "timeout"
    | "failed"
    /** It answered with what its format does not know. */
    | "garbage";
};
