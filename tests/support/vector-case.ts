import { z } from "zod";

/** One vector: `op` names what to do with `input` (see vector-operations.ts), `expect` is all that must come of it. */
export const VectorCase = z.strictObject({
  name: z.string().min(1),
  op: z.string().min(1),
  input: z.record(z.string(), z.json()),
  expect: z.json(),
});
export type VectorCase = z.infer<typeof VectorCase>;

/** A file in tests/vectors/. */
export const VectorFile = z.strictObject({
  about: z.string().min(1),
  cases: z.array(VectorCase).min(1),
});
export type VectorFile = z.infer<typeof VectorFile>;
