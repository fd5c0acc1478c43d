import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { errorCode } from "./atomic-file";

export type JsonFile<Value> =
  | { readonly state: "read"; readonly value: Value }
  | { readonly state: "absent" }
  | { readonly state: "damaged" };

/** Reads and parses a file of this peer's; throws where the file system refuses. */
export async function readJsonFile<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<JsonFile<z.infer<Schema>>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return { state: "absent" };
    throw cause;
  }
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? { state: "read", value: parsed.data } : { state: "damaged" };
  } catch {
    return { state: "damaged" }; // No JSON; what to do about it is the caller's to say.
  }
}
