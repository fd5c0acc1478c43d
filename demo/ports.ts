import { SelfHostError } from "#self-host/self-host-error";

/** Throws a `SelfHostError` that names the flag where somebody else listens on the port. */
export function requireFreePort(port: number, flag: string): void {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
  } catch (cause) {
    throw new SelfHostError(
      `Port ${port} is in use by another program`,
      `Stop that program, or choose another port: npm start -- ${flag} N`,
      { cause },
    );
  }
}
