/** Something the operator can put right. The message says what is wrong, the hint what to do about it. */
export class SelfHostError extends Error {
  override readonly name = "SelfHostError";
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}

/** An error as sentences for people, one a line; of what nobody foresaw the message alone. */
export function toldOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : "something failed";
  const first = `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, "")}.\n`;
  return cause instanceof SelfHostError ? `${first}${cause.hint}\n` : first;
}
