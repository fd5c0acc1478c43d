/** Between the CPU path and its threads. All buffers are shared. */
export type CpuRequest =
  | {
      readonly type: "begin";
      readonly keyA: Uint8Array;
      /** B in panels. */
      readonly panels: SharedArrayBuffer;
      /** Of all rows, by their numbers. */
      readonly digests: SharedArrayBuffer;
      /** Two i32: the next leaf that nobody has taken, and whether to stop. */
      readonly control: SharedArrayBuffer;
      readonly maxLeaves: number;
      /** Leaves below this one are kept. */
      readonly tableLeaves: number;
    }
  | {
      readonly type: "pass";
      readonly stream: Uint8Array;
      /** Of all pages of the table, by their numbers. */
      readonly digests: SharedArrayBuffer;
      readonly control: SharedArrayBuffer;
    }
  | { readonly type: "leaf"; readonly leaf: number };

export type CpuAnswer =
  | { readonly type: "ready" }
  | { readonly type: "done" }
  | { readonly type: "leaf"; readonly rows: Uint8Array };

export const NEXT_LEAF = 0;
export const STOP = 1;
export const CONTROL_BYTES = 8;
