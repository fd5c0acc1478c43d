import { errorCode } from "../home/atomic-file";
import { CliError, EXIT } from "./error";

type Address = { readonly host: string; readonly port: number };

/** Runs a server; where it can't have its address, throws a `CliError` that names the flag to change. */
export async function explainListenErrors(
  { host, port }: Address,
  flags: { readonly host: string; readonly port: string },
  serve: () => Promise<void>,
): Promise<void> {
  /** For a name that has no address the runtime shows no code that means anything. */
  const nowhere = [
    `Nothing can listen on ${host}.`,
    `Choose an address of this machine with ${flags.host}.`,
  ] as const;
  try {
    await serve();
  } catch (cause) {
    const explained = explain(errorCode(cause)) ?? (isAboutListening(cause) ? nowhere : undefined);
    if (explained === undefined) throw cause;
    throw new CliError(EXIT.failed, explained[0], explained[1], { cause });
  }

  function explain(code: string | undefined): readonly [message: string, hint: string] | undefined {
    switch (code) {
      case "EADDRINUSE":
        return [
          `Port ${port} on ${host} is in use.`,
          `Stop what listens there, or choose another port with ${flags.port}.`,
        ];
      case "EADDRNOTAVAIL":
        return [`${host} is no address of this machine.`, `Choose one that is with ${flags.host}.`];
      case "EACCES":
        return [
          `This user may not listen on port ${port}.`,
          `Choose a port above 1023 with ${flags.port}.`,
        ];
      default:
        return undefined;
    }
  }
}

function isAboutListening(cause: unknown): boolean {
  if (!(cause instanceof Error && "syscall" in cause)) return false;
  return cause.syscall === "listen" || cause.syscall === "getaddrinfo";
}
