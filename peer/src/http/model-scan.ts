/** Reads along with a body for the model that it names. */
export type ModelScan = {
  feed(chunk: Uint8Array): void;
  /** What was found so far. */
  model(): string | undefined;
  /** Whether engines may take another model from it. */
  isAmbiguous(): boolean;
};
