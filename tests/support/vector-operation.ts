import { z } from "zod";

export type Operation = (input: unknown) => Promise<unknown>;

export const Hex = z
  .string()
  .regex(/^(?:[0-9a-f]{2})*$/)
  .transform((text) =>
    Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
  );

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Strict, so that a misspelt input is an error of the vector and not a check that never ran. */
export function operation<Shape extends z.ZodRawShape>(
  shape: Shape,
  run: (input: z.infer<z.ZodObject<Shape, z.core.$strict>>) => Promise<unknown>,
): Operation {
  const Input = z.strictObject(shape);
  return async (raw) => {
    const input = Input.safeParse(raw);
    return input.success ? run(input.data) : `unfit input: ${z.prettifyError(input.error)}`;
  };
}
