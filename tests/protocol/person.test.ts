import { expect, it } from "vitest";
import { LoginRequest, PersonRequest, Session } from "#protocol/person";
import { boundsOf } from "./schema-bounds";

const asked = { email: "one@example.org", password: "twelve chars", session: "bearer" };

boundsOf(
  "PersonRequest",
  PersonRequest,
  { ...asked, invite: "code" },
  {
    optional: ["session", "invite"],
    texts: { password: { min: 12, max: 256 }, invite: { min: 0, max: 64 } },
    refuses: [
      ["no address", "email", "one"],
      ["two addresses", "email", "one@example.org,two@example.org"],
      ["an address of 255 characters", "email", `${"a".repeat(243)}@example.org`],
      ["another kind of session", "session", "query"],
    ],
  },
);

boundsOf("LoginRequest", LoginRequest, asked, {
  optional: ["session"],
  texts: { password: { min: 0, max: 256 } },
});

boundsOf(
  "Session",
  Session,
  {
    user_id: "usr_0123456789abcdefghjkmnpqrs",
    email: "one@example.org",
    expires_at: "2030-01-01T00:00:00Z",
    token: "t",
  },
  { optional: ["token"], refuses: [["a date without a time", "expires_at", "2030-01-01"]] },
);

it("takes an email for the same in whatever case, with or without spaces around it", () => {
  expect(PersonRequest.parse({ ...asked, email: " One@Example.ORG " }).email).toBe(asked.email);
});
