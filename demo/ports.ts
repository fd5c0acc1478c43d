import { SelfHostError } from "#self-host/self-host-error";

/** Throws a `SelfHostError` that names the flag where somebody else listens on the port, or this user may not. */
export function requireFreePort(port: number, flag: string): void {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
  } catch (cause) {
    const isDenied = cause instanceof Error && "code" in cause && cause.code === "EACCES";
    const [message, hint] = isDenied
      ? [`Port ${port} may not be used`, "Choose another port"]
      : [`Port ${port} is in use by another program`, "Stop that program, or choose another port"];
    throw new SelfHostError(message, `${hint}: npm start -- ${flag} N`, { cause });
  }
}
