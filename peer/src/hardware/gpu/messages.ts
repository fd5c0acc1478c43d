/** The word that makes the executable the process that holds the GPU, instead of a command line. */
export const GPU_CHILD = "gpu-proof-process";

/** Between troop and the process that holds the GPU: one request at a time, one answer for each. */
export type GpuRequest =
  | { readonly type: "open"; readonly allowSoftware: boolean; readonly tableRows?: number }
  | { readonly type: "begin"; readonly keyA: Uint8Array; readonly seed: Uint8Array }
  | { readonly type: "step" }
  | { readonly type: "leaf"; readonly leaf: number }
  | { readonly type: "pass"; readonly stream: Uint8Array };

export type GpuAnswer =
  | { readonly type: "opened"; readonly label: string; readonly tableRowsWanted: number }
  | { readonly type: "none"; readonly why: string }
  | { readonly type: "begun" }
  | { readonly type: "bytes"; readonly bytes: Uint8Array; readonly tableRows: number };
