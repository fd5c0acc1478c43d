import { expect, it } from "vitest";
import { useCoordinator } from "#support/coordinator";
import { operatorOf } from "./operators";
import { newEmail, PASSWORD, peopleOf } from "./people";

const coordinator = useCoordinator({ AUDIT_ADDRESSES: "full" });
const { ask, person } = peopleOf(coordinator);
const operator = operatorOf(coordinator);

const logIn = (email: string, password: string) =>
  ask("/auth/login", { body: { email, password } });

async function expectLocked(answer: Response, policy: RegExp): Promise<void> {
  expect(answer.status).toBe(429);
  expect(answer.headers.get("ratelimit-policy")).toMatch(policy);
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
}

it("locks an email after ten tries, known or not, also for the right password", async () => {
  const { email, user, ask: askAsPerson } = await person();
  for (const somebody of [email, newEmail()]) {
    // Each is hashed for: together they keep a slow machine from its stores for longer than these may take.
    for (let tries = 0; tries < 10; tries++) {
      expect((await logIn(somebody, "wrong")).status).toBe(401);
    }
    await expectLocked(
      await logIn(somebody, PASSWORD),
      /^"login";q=30;w=900, "login-of-email";q=10;w=900$/,
    );
  }
  // Whoever is in stays in, and the operator sees about whom it was and from where.
  expect((await askAsPerson("/auth/me")).status).toBe(200);
  const failed = await operator.awaitEvents(`user_id=${user}`, "login_failed", 10);
  expect(failed.map(({ details }) => details["address"])).toEqual(
    Array.from({ length: 10 }, () => "127.0.0.1"),
  );
  const other = await person();
  expect((await logIn(other.email, PASSWORD)).status).toBe(200);
});

it("locks an address after thirty tries, whoever they were for", async () => {
  // 23 were made above.
  for (let turn = 0; turn < 7; turn++) {
    expect((await logIn(newEmail(), "wrong")).status).toBe(401);
  }
  await expectLocked(await logIn(newEmail(), "wrong"), /^"login";q=30;w=900$/);
});
