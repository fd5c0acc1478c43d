import { describe, expect, it } from "vitest";
import { SignupInvite } from "#protocol/admin";
import { DeviceCode } from "#protocol/device";
import { Problem } from "#protocol/problem";
import { Balance } from "#protocol/statement";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { operatorOf } from "./operators";
import { newEmail, PASSWORD, peopleOf } from "./people";

const code = async (answer: Response) => Problem.parse(await answer.json()).code;

describe("where people join by invite", () => {
  const coordinator = useCoordinator({ JOIN_POLICY: "invite", STARTER_CREDITS: "100" });
  const { ask } = peopleOf(coordinator);
  const { call } = operatorOf(coordinator);

  async function invite(body: object): Promise<string> {
    const answer = await call("/admin/invites", body);
    expect(answer.status).toBe(201);
    return SignupInvite.strict().parse(await answer.json()).code;
  }

  const register = (invited: string | undefined, email = newEmail()) =>
    ask("/auth/register", {
      body: { email, password: PASSWORD, session: "bearer", invite: invited },
    });

  it("lets in as many as an invite says, also when they come at once", async () => {
    const invited = await invite({ uses: 2 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => register(invited)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(new Set(await Promise.all(refused.map(code)))).toEqual(
      new Set(["signup_invite_invalid"]),
    );
  });

  it("uses up no invite for an email that is taken", async () => {
    const email = newEmail();
    const invited = await invite({ uses: 2 });
    expect((await register(invited, email)).status).toBe(201);
    expect(await code(await register(invited, email))).toBe("email_taken");
    expect((await register(invited)).status).toBe(201);
    expect(await code(await register(invited))).toBe("signup_invite_invalid");
  });

  it.each([
    ["nothing", undefined],
    ["", ""],
    ["a guess", "A".repeat(24)],
  ])("lets nobody in by %s", async (_what, guess) => {
    expect(await code(await register(guess))).toBe("signup_invite_invalid");
  });

  it("takes a machine through its person alone, who gets the starter credits with it", async () => {
    const peer = await newPeer(coordinator().url);
    expect(await code(await peer.call("/register", { body: {} }))).toBe("registration_closed");

    const joined = await register(await invite({}));
    const { token, user_id: user } = (await joined.json()) as { token: string; user_id: string };
    const begun = DeviceCode.parse(await (await peer.call("/auth/device", { body: {} })).json());
    await ask("/auth/device/decide", {
      body: { user_code: begun.user_code, approve: true },
      headers: { authorization: `Bearer ${token}` },
    });
    const { device_code } = begun;
    expect((await peer.call("/auth/device/token", { body: { device_code } })).status).toBe(200);
    expect((await peer.register()).user_id).toBe(user);
    const balance = Balance.parse(await (await peer.call(`/users/${user}/balance`)).json());
    expect(balance.total).toBe("100");
  });

  it("makes invites for operators alone", async () => {
    expect(await code(await ask("/admin/invites", { body: {} }))).toBe("credentials_invalid");
  });
});

describe("where nobody may join", () => {
  const coordinator = useCoordinator({ JOIN_POLICY: "closed" });
  const { ask } = peopleOf(coordinator);

  it("refuses new peers and people", async () => {
    const peer = await newPeer(coordinator().url);
    expect(await code(await peer.call("/register", { body: {} }))).toBe("registration_closed");
    const body = { email: newEmail(), password: PASSWORD };
    expect(await code(await ask("/auth/register", { body }))).toBe("registration_closed");
  });
});
