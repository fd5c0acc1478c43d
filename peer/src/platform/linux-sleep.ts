import type { Machine } from "../probes/machine";

/**
 * Signals of logind's manager. The shell ends the monitor when its own input ends, which it does with this process,
 * however that goes.
 */
const MONITOR = [
  "sh",
  "-c",
  "gdbus monitor --system --dest org.freedesktop.login1 --object-path /org/freedesktop/login1 & read -r _; kill $!",
];
/** Holds a sleep up until its input ends; logind waits for five seconds at most. */
const DELAY = [
  "systemd-inhibit",
  "--what=sleep",
  "--mode=delay",
  "--who=troop",
  "--why=Tells its network that this machine sleeps",
  "cat",
];
const SIGNAL = /PrepareForSleep \((true|false),?\)/;

/**
 * Tells when this machine goes to sleep, which waits until `onChange` resolves, and when it is awake again. Where there is
 * no logind it tells nothing. The result ends it.
 */
export function watchLinuxSleep(
  machine: Pick<Machine, "follow">,
  onChange: (isAsleep: boolean) => Promise<void>,
): () => void {
  let delay = machine.follow(DELAY, () => {});

  async function told(line: string): Promise<void> {
    const word = SIGNAL.exec(line)?.[1];
    if (word === "true") {
      await onChange(true);
      delay.stop();
    }
    if (word === "false") {
      delay.stop();
      delay = machine.follow(DELAY, () => {});
      await onChange(false);
    }
  }

  const monitor = machine.follow(MONITOR, (line) => void told(line));
  return () => {
    monitor.stop();
    delay.stop();
  };
}
