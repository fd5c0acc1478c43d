const WORDS: Readonly<Record<string, string>> = {
  ConnectionRefused: "nothing listens there",
  ECONNREFUSED: "nothing listens there",
  ConnectionClosed: "it closed the connection",
  ECONNRESET: "it closed the connection",
  ENOTFOUND: "its name does not resolve",
  FailedToOpenSocket: "its name does not resolve, or this machine has no network",
  EHOSTUNREACH: "this machine has no route to it",
  ENETUNREACH: "this machine has no network",
  ETIMEDOUT: "it did not answer",
};

/** Why a fetch failed, in words; errors not known here give their code. */
export function networkFailure(cause: unknown): string {
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return "it did not answer in time";
  }
  const code = codeOf(cause);
  if (code === undefined) return "the connection failed";
  if (/CERT|SELF_SIGNED|UNABLE_TO_|TLS|SSL/.test(code)) {
    return `its TLS certificate is not valid (${code})`;
  }
  return WORDS[code] ?? `the connection failed (${code})`;
}

function codeOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !("code" in cause)) return undefined;
  return typeof cause.code === "string" ? cause.code : undefined;
}
