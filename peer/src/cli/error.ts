/** Exit numbers of `troop`. They are API: a number never changes its meaning. */
export const EXIT = {
  ok: 0,
  /** It was tried and did not work. */
  failed: 1,
  /** The command line or a setting is wrong. */
  usage: 2,
  /** The coordinator does not answer. */
  coordinatorUnreachable: 3,
  /** The coordinator answered and refused. */
  coordinatorRefused: 4,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** A failure that the person at the terminal can do something about. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exit: Exit;
  /** What to do next, best a command to run. */
  readonly hint: string | undefined;

  constructor(exit: Exit, message: string, hint?: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
    this.hint = hint;
  }
}
