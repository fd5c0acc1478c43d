/** Something the operator can put right. The message says what is wrong, the hint what to do about it. */
export class SelfHostError extends Error {
  override readonly name = "SelfHostError";
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
