import { createServer } from "node:net";

/** Below those that systems hand out by themselves, to whoever listens at port 0 or dials somewhere. */
const FIRST = 20_000;
const LAST = 32_000;

/**
 * A TCP port on 127.0.0.1 that was free just now, for programs that cannot pick one themselves. It is still free when such
 * a program has started, and when it is started again: nobody is given it meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (await isFree(port)) return port;
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
