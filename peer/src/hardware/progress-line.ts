import { counted } from "#protocol/counted";
import type { Progress } from "./prove";

const EVERY_MS = 1_000;

/** Says now and then how a run goes, and each part's beginning at once. */
export function progressLine(say: (line: string) => void): (progress: Progress) => void {
  let part = "";
  let saidMs = -Infinity;
  return (progress) => {
    const nowMs = performance.now();
    if (progress.part === part && nowMs - saidMs < EVERY_MS) return;
    part = progress.part;
    saidMs = nowMs;
    say(textOf(progress));
  };
}

function textOf(progress: Progress): string {
  if (progress.part === "compute") {
    return `Computing: ${counted(progress.rows, "row")}, ${(progress.opsPerSecond / 1e9).toFixed(1)} billion operations a second`;
  }
  return `Reading memory: ${counted(progress.passes, "pass", "passes")}, ${(progress.bytesPerSecond / 1e9).toFixed(1)} GB a second`;
}
