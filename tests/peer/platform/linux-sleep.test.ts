import { expect, it } from "vitest";
import { watchLinuxSleep } from "#peer/platform/linux-sleep";

/** As `gdbus monitor` prints logind's signals. */
const LINE = (word: string) =>
  `/org/freedesktop/login1: org.freedesktop.login1.Manager.PrepareForSleep (${word},)`;

function setUp() {
  const log: string[] = [];
  let print = (_line: string): void => {};
  const told = Promise.withResolvers<void>();
  const end = watchLinuxSleep(
    {
      follow(command, onLine) {
        const name = command[0] === "sh" ? "monitor" : "delay";
        log.push(`start ${name}`);
        if (name === "monitor") print = onLine;
        return { stop: () => log.push(`stop ${name}`) };
      },
    },
    async (isAsleep) => {
      log.push(isAsleep ? "asleep" : "awake");
      if (isAsleep) await told.promise;
    },
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { log, print: (line: string) => print(line), told, end, turn };
}

it("holds the sleep up until the network was told, and the next one, too", async () => {
  const { log, print, told, end, turn } = setUp();
  print("Monitoring signals on object /org/freedesktop/login1 owned by org.freedesktop.login1");
  print(
    "/org/freedesktop/login1: org.freedesktop.login1.Manager.SessionNew ('3', objectpath '/x')",
  );
  expect(log).toEqual(["start delay", "start monitor"]);
  print(LINE("true"));
  await turn();
  expect(log.slice(2)).toEqual(["asleep"]);
  told.resolve();
  await turn();
  expect(log.slice(3)).toEqual(["stop delay"]);
  print(LINE("false"));
  await turn();
  expect(log.slice(4)).toEqual(["stop delay", "start delay", "awake"]);
  end();
  expect(log.slice(7)).toEqual(["stop monitor", "stop delay"]);
});
