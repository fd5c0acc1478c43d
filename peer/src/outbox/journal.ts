import {
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";

/** A text file that grows by lines. What is in it survives the process, however that ends; all of it is synchronous. */
export type Journal = {
  readonly bytes: number;
  /** Throws where there is no room; nothing of the line is then kept. */
  append(line: string): void;
  /** Puts `lines` in the place of all that is in it. Throws where that cannot be; then it is as it was. */
  replace(lines: string): void;
  close(): void;
};

const ONLY_OWNER = 0o600;

/** What a run left in its journal; "" where there is none. Throws what reading throws. */
export function readJournal(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return "";
    throw cause;
  }
}

/** Begins anew: what was in the file is gone. Throws what opening throws. */
export function openJournal(path: string): Journal {
  let fd: number | undefined;
  let bytes = 0;
  // Opened again where it was closed for another to take its place.
  const opened = (): number => (fd ??= openSync(path, "a", ONLY_OWNER));

  function close(): void {
    const closing = fd;
    fd = undefined;
    if (closing !== undefined) closeSync(closing);
  }
  function empty(): void {
    ftruncateSync(opened(), 0);
    bytes = 0;
  }

  empty();
  return {
    get bytes() {
      return bytes;
    },
    append(line) {
      const length = Buffer.byteLength(line);
      const file = opened();
      let written = 0;
      try {
        written = writeSync(file, line);
      } finally {
        // Half a line would run into the next one.
        if (written < length) ftruncateSync(file, bytes);
      }
      if (written < length) throw new Error(`There is no room for a line in ${path}.`);
      bytes += length;
    },
    replace(lines) {
      if (lines === "") {
        empty();
        return;
      }
      const next = `${path}.next`;
      try {
        writeFileSync(next, lines, { mode: ONLY_OWNER });
        // Windows renames onto no file that is open.
        close();
        renameSync(next, path);
      } catch (cause) {
        rmSync(next, { force: true });
        throw cause;
      }
      bytes = Buffer.byteLength(lines);
    },
    close,
  };
}

/** For who has no file: nothing outlives the process. */
export const NO_JOURNAL: Journal = { bytes: 0, append() {}, replace() {}, close() {} };
