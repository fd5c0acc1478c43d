import { expect, it } from "vitest";
import { deadline } from "#peer/http/deadline";

/** Nothing else of this process runs meanwhile. */
function holdUp(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it("runs when the time is over, and not where it was called off", async () => {
  const ran: string[] = [];
  const calledOff = deadline(1, () => ran.push("called off"));
  calledOff();
  await new Promise<void>((resolve) => void deadline(2, resolve));
  expect(ran).toEqual([]);
});

it("looks at what came in time before it says that nothing did, however busy the process was", async () => {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const connected = await new Promise<boolean>((resolve) => {
    const inTime = deadline(5, () => resolve(false));
    void Bun.connect({
      hostname: "127.0.0.1",
      port: server.port,
      socket: {
        data() {},
        open() {
          inTime();
          resolve(true);
        },
      },
    });
    holdUp(200);
  });
  server.stop(true);
  expect(connected).toBe(true);
});
