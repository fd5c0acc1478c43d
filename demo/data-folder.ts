import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lockFolder } from "#self-host/data-lock";
import { SelfHostError } from "#self-host/self-host-error";

const MARK = "monkey-troop-demo";
const NOTE = "The data of `npm start`. It may be deleted while nothing runs.\n";

/** In the data folder; whoever has it open is its coordinator. */
export const COORDINATOR_FOLDER = "coordinator";

/** Makes the data folder; with `fresh`, empties it first, but only one that this program made and that is not in use. */
export function prepareDataFolder(dir: string, fresh: boolean): void {
  const isOurs = existsSync(join(dir, MARK));
  const isEmpty = !existsSync(dir) || readdirSync(dir).length === 0;
  if (fresh && !isOurs && !isEmpty) {
    throw new SelfHostError(
      `${dir} holds files that npm start did not make, so --fresh does not delete it`,
      "Name another folder with --data DIR.",
    );
  }
  const coordinator = join(dir, COORDINATOR_FOLDER);
  if (fresh && existsSync(coordinator)) lockFolder(coordinator).release();
  try {
    if (fresh) rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, MARK), NOTE);
  } catch (cause) {
    throw new SelfHostError(
      `The data folder ${dir} cannot be written`,
      "Check its permissions, or name another folder with --data DIR.",
      { cause },
    );
  }
}
