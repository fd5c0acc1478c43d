import { NodeListing } from "#protocol/directory";
import { z } from "zod";

/** What Redis keeps of a node for the lists of nodes. */
export type StoredNode = z.infer<typeof StoredNode>;
export const StoredNode = NodeListing.omit({ seen_at: true }).extend({ seen_at_ms: z.int() });
