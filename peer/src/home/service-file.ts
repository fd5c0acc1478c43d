import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errorCode, replaceFile } from "./atomic-file";
import { readJsonFile } from "./json-file";

/** What a running client or worker leaves in the home, so that `troop status` can find it. */
const ServiceFile = z.object({
  kind: z.enum(["client", "worker"]),
  url: z.url({ protocol: /^http$/ }),
  pid: z.int().positive(),
});
export type ServiceFile = z.infer<typeof ServiceFile>;

export async function writeServiceFile(dir: string, service: ServiceFile): Promise<void> {
  await replaceFile(servicePath(dir, service), `${JSON.stringify(service)}\n`);
}

export async function removeServiceFile(dir: string, service: ServiceFile): Promise<void> {
  await rm(servicePath(dir, service), { force: true });
}

/** All that were left, also by processes that were killed: whether they still run is not in the file. */
export async function readServiceFiles(dir: string): Promise<readonly ServiceFile[]> {
  const found: ServiceFile[] = [];
  for (const name of (await listFolder(servicesFolder(dir))).toSorted()) {
    if (!name.endsWith(".json")) continue;
    const file = await readJsonFile(join(servicesFolder(dir), name), ServiceFile);
    if (file.state === "read") found.push(file.value);
  }
  return found;
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (cause) {
    if (errorCode(cause) === "ENOENT") return [];
    throw cause;
  }
}

function servicesFolder(dir: string): string {
  return join(dir, "services");
}

function servicePath(dir: string, service: ServiceFile): string {
  return join(servicesFolder(dir), `${service.kind}-${service.pid}.json`);
}
