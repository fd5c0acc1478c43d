import { z } from "zod";

/** `GET /health`, as far as a peer reads it. */
export const Health = z.object({ status: z.string(), protocol: z.int().optional() });
export type Health = z.infer<typeof Health>;
