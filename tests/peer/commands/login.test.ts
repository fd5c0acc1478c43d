import { expect, it } from "vitest";
import { EXIT } from "#peer/cli/error";
import type { DeviceCode } from "#protocol/device";
import type { ProblemCode } from "#protocol/problem";
import { problem } from "../coordinator/fake-coordinator";
import { setUp, USER } from "./troop-under-test";

const CODE: DeviceCode = {
  device_code: "secret-device-code",
  user_code: "BCDF-GHJK",
  verification_uri: "https://troop.example/account",
  verification_uri_complete: "https://troop.example/account#BCDF-GHJK",
  expires_in: 600,
  interval: 1,
};

/** A coordinator that answers these, one a question, and then that the peer is linked. */
function answering(...codes: ProblemCode[]) {
  return setUp({
    "POST /auth/device": () => Response.json(CODE),
    "POST /auth/device/token": () => {
      const code = codes.shift();
      return code === undefined
        ? Response.json({ user_id: USER, email: "one@example.org" })
        : problem(code);
    },
  });
}

it("shows where to go and the code, waits, and takes a certificate of the account", async () => {
  const { run, coordinator } = await answering("authorization_pending");
  const { exit, out, err } = await run("login", "--name", "tower");
  expect({ exit, out }).toEqual({
    exit: EXIT.ok,
    out: "This machine belongs to one@example.org now.\n",
  });
  expect(err).toContain("https://troop.example/account#BCDF-GHJK");
  expect(out + err).not.toContain("secret-device-code");
  expect(coordinator.seen.map((call) => call.target)).toEqual([
    "/auth/device",
    "/auth/device/token",
    "/auth/device/token",
    "/register",
  ]);
  expect(JSON.parse(coordinator.seen[0]?.body ?? "")).toEqual({ name: "tower" });
});

it.each([
  ["access_denied", "The answer on the page was no."],
  ["expired_token", "Nobody entered the code in time."],
] as const)("ends at %s, and says how to try again", async (code, message) => {
  const { run } = await answering(code);
  const { exit, out, err } = await run("login");
  expect({ exit, out }).toEqual({ exit: EXIT.coordinatorRefused, out: "" });
  expect(err).toContain(message);
  expect(err).toContain("troop login");
});

it("ends with any other refusal at once", async () => {
  const { run } = await answering("proof_invalid");
  const { exit, err } = await run("login");
  expect(exit).toBe(EXIT.coordinatorRefused);
  expect(err).toContain("proof_invalid");
});

it("logs out with a word on how to come back, and says where there is nothing to log out of", async () => {
  const { run, coordinator } = await setUp();
  const nobodys = await run("logout");
  expect(nobodys.exit).toBe(EXIT.coordinatorRefused);
  expect(nobodys.err).toContain("belongs to no account");
  const target = coordinator.seen.at(-1)?.target ?? "";
  expect(target).toBe(`/auth/peers/${coordinator.seen.at(-1)?.peerId}/revoke`);
  coordinator.answers[`POST ${target}`] = () => new Response(null, { status: 204 });
  const { exit, out } = await run("logout");
  expect(exit).toBe(EXIT.ok);
  expect(out).toContain("troop login");
});

it("lists the machines of the account, and which one this is", async () => {
  const used = { created_at: "2030-01-01T00:00:00Z", last_used_at: "2030-01-02T10:00:00Z" };
  const { run } = await setUp({
    "GET /auth/peers": ({ peerId }) =>
      Response.json({
        peers: [
          { peer_id: peerId, name: "tower", live: true, ...used },
          { peer_id: "b".repeat(43), live: false, ...used },
        ],
      }),
  });
  const { out } = await run("peers");
  const [head, own, other] = out.split("\n");
  expect(head).toMatch(/^NAME +PEER +LAST USED \(UTC\) +LENDS NOW$/);
  expect(own).toMatch(/^tower +[\w-]{43} \(this one\) +2030-01-02T10:00:00Z +yes$/);
  expect(other).toMatch(/^- +b{43} +2030-01-02T10:00:00Z +no$/);
});
