import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SelfHostError } from "#self-host/self-host-error";

const MARK = "monkey-troop-demo";
const NOTE = "The data of `npm start`. It may be deleted while nothing runs.\n";

/** Makes the data folder; with `fresh`, empties it first, but only one that this program made. */
export function prepareDataFolder(dir: string, fresh: boolean): void {
  const isOurs = existsSync(join(dir, MARK));
  const isEmpty = !existsSync(dir) || readdirSync(dir).length === 0;
  if (fresh && !isOurs && !isEmpty) {
    throw new SelfHostError(
      `${dir} holds files that npm start did not make, so --fresh does not delete it`,
      "Name another folder with --data DIR.",
    );
  }
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
