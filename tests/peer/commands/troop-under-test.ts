import { onTestFinished } from "vitest";
import { COMMANDS } from "#peer/commands/table";
import { main } from "#peer/main";
import {
  type Answer,
  type FakeCoordinator,
  fakeCoordinator,
  registrationOf,
} from "../coordinator/fake-coordinator";
import { testTerminal } from "../cli/test-terminal";
import { temporaryFolder } from "../home/temporary-folder";

export const USER = registrationOf("", 0).user_id;

export type Troop = {
  readonly dir: string;
  readonly coordinator: FakeCoordinator;
  readonly run: (...args: string[]) => Promise<{ exit: number; out: string; err: string }>;
};

/** The command line, with a home and a coordinator of its own. */
export async function setUp(answers: Record<string, Answer> = {}): Promise<Troop> {
  const coordinator = fakeCoordinator(
    {
      "POST /register": (call) => Response.json(registrationOf(call.peerId, Date.now())),
      ...answers,
    },
    { prefix: "/api" },
  );
  onTestFinished(() => coordinator[Symbol.asyncDispose]());
  const dir = await temporaryFolder();
  const env = { TROOP_HOME: dir, COORDINATOR_URL: `${coordinator.baseUrl}/` };
  return {
    dir,
    coordinator,
    run: async (...args) => {
      const terminal = testTerminal(env);
      const exit = await main(args, COMMANDS, terminal);
      return { exit, out: terminal.out(), err: terminal.err() };
    },
  };
}
