import type { Problem } from "#protocol/problem";

/** The coordinator answered and refused. `message` is fit for people. */
export class CoordinatorProblem extends Error {
  override readonly name = "CoordinatorProblem";
  readonly problem: Problem;
  /** Milliseconds to wait before another try, where the coordinator said so. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, problem: Problem, retryAfterMs: number | undefined) {
    super(message);
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer, none in time, or none that a coordinator gives. `message` is fit for people. */
export class CoordinatorUnreachable extends Error {
  override readonly name = "CoordinatorUnreachable";
}
