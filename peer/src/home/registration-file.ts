import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { Registration } from "#protocol/register";
import { replaceFile } from "./atomic-file";
import type { Home } from "./home";
import { readJsonFile } from "./json-file";

const RegistrationFile = z.object({ coordinator_url: z.string(), registration: Registration });

/** What a coordinator last said of this peer, or `undefined`. A damaged or foreign file reads as none. */
export async function readRegistration(
  home: Home,
  coordinatorUrl: string,
): Promise<Registration | undefined> {
  const file = await readJsonFile(registrationPath(home, coordinatorUrl), RegistrationFile);
  if (file.state !== "read" || file.value.coordinator_url !== coordinatorUrl) return undefined;
  const { registration } = file.value;
  return registration.peer_id === home.identity.peerId ? registration : undefined;
}

export async function writeRegistration(
  home: Home,
  coordinatorUrl: string,
  registration: Registration,
): Promise<void> {
  const file = { coordinator_url: coordinatorUrl, registration };
  await replaceFile(registrationPath(home, coordinatorUrl), `${JSON.stringify(file, null, 2)}\n`);
}

function registrationPath(home: Home, coordinatorUrl: string): string {
  const hash = createHash("sha256").update(coordinatorUrl).digest("hex").slice(0, 16);
  return join(home.dir, "coordinators", `${hash}.json`);
}
