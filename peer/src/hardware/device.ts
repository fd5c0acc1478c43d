/** What carries out a proof: the CPU's cores, or a GPU. One run at a time; every call ends early where `signal` aborts. */
export type ProofDevice = {
  readonly path: "cpu" | "gpu";
  /** What it calls itself, for people only. */
  readonly label: string;
  /** Rows that it keeps once it has them: the table of the memory part. */
  readonly tableRowsWanted: number;
  /** Computes rows until `isEnough` says so (asked now and then) or the device can keep no more. */
  compute(work: ComputeWork): Promise<Computed>;
  /** The leaf's 64 rows of C, kept or computed again. */
  leafRows(leaf: number): Promise<Uint8Array>;
  /** Reads the whole table once under a pass's stream; resolves to the digests of its pages. */
  pass(stream: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
};

export type ComputeWork = {
  /** 32 bytes each: of A's rows, and the seed of B. */
  readonly keyA: Uint8Array;
  readonly seed: Uint8Array;
  readonly maxRows: number;
  readonly isEnough: (rows: number) => boolean;
};

export type Computed = {
  readonly rows: number;
  /** Of all rows, in their order. */
  readonly digests: Uint8Array;
  /** Rows that were kept, from the first on. */
  readonly tableRows: number;
};

/** The person came back, or somebody stopped the run: nothing is wrong. */
export class ProofYielded extends Error {
  override readonly name = "ProofYielded";
}
