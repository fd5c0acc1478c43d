import { createServer } from "node:net";

/** Below those that systems hand out by themselves, to whoever listens at port 0 or dials somewhere. */
const FIRST = 20_000;
const COUNT = 12_000;

/** Each of them once, from wherever: what a test gave up for a while is given to no other one meanwhile. */
let place = Math.floor(Math.random() * COUNT);

/**
 * A TCP port on 127.0.0.1 that was free just now, for programs that cannot pick one themselves, and for what comes back at
 * its old address: nobody is given it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    place = (place + 1) % COUNT;
    if (await isFree(FIRST + place)) return FIRST + place;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
