import { z } from "zod";

const Schema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  items: z.unknown().optional(),
  minItems: z.number().optional(),
  minimum: z.number().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
});

const DEEPEST = 8;

/** A value that fits a simple JSON schema, always the same one. */
export function sampleJson(schema: unknown, depth = 0): unknown {
  const parsed = Schema.safeParse(schema);
  if (!parsed.success || depth > DEEPEST) return null;
  const shape = parsed.data;
  if (shape.const !== undefined) return shape.const;
  if (shape.enum !== undefined) return shape.enum[0];
  if (shape.anyOf !== undefined) return sampleJson(shape.anyOf[0], depth + 1);

  switch (Array.isArray(shape.type) ? shape.type[0] : shape.type) {
    case "string":
      return "démo";
    case "integer":
    case "number":
      return shape.minimum ?? 1;
    case "boolean":
      return true;
    case "null":
      return null;
    case "array":
      return Array.from({ length: Math.min(shape.minItems ?? 1, 8) }, () =>
        sampleJson(shape.items, depth + 1),
      );
    default: {
      const entries = Object.entries(shape.properties ?? {});
      return Object.fromEntries(
        entries.map(([name, value]) => [name, sampleJson(value, depth + 1)]),
      );
    }
  }
}
