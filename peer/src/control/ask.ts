import { connect, type Socket } from "node:net";
import { CliError, EXIT } from "../cli/error";
import { errorCode } from "../home/atomic-file";
import type { ControlAddress } from "./address";
import { parseLine, readLine } from "./listen";
import { ControlAnswer, type ControlRequest, type WorkerStatus } from "./messages";

const LIMIT_MS = 5_000;

/** Asks the worker that runs with a home; `undefined` where none does. Throws `CliError`. */
export async function askWorker(
  { path }: ControlAddress,
  request: ControlRequest,
): Promise<WorkerStatus | undefined> {
  const line = await exchange(path, `${JSON.stringify(request)}\n`);
  if (line === undefined) return undefined;
  const answer = ControlAnswer.safeParse(parseLine(line));
  if (!answer.success) {
    throw new CliError(
      EXIT.failed,
      "The worker that runs here gave no answer that this version of troop knows.",
      "Start it again with the same version.",
    );
  }
  if (answer.data.ok) return answer.data.status;
  throw new CliError(EXIT.failed, answer.data.message);
}

/** Nobody is there, or the socket was left by a worker that was killed. */
const NOBODY_THERE: ReadonlySet<string | undefined> = new Set(["ENOENT", "ECONNREFUSED"]);

function exchange(path: string, line: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const fail = (why: string, cause?: unknown): void => {
      socket.destroy();
      const hint = "Look whether it hangs, and start it again.";
      reject(new CliError(EXIT.failed, `The worker that runs here ${why}.`, hint, { cause }));
    };
    socket.setTimeout(LIMIT_MS, () => fail("does not answer"));
    socket.once("error", (cause) => {
      const code = errorCode(cause);
      if (NOBODY_THERE.has(code)) resolve(undefined);
      else fail(`cannot be asked (${code ?? "unknown reason"})`, cause);
    });
    socket.once("connect", () => socket.write(line));
    void readAnswer(socket);

    async function readAnswer(from: Socket): Promise<void> {
      const answer = await readLine(from);
      socket.destroy();
      if (answer === undefined) fail("broke off");
      else resolve(answer);
    }
  });
}
