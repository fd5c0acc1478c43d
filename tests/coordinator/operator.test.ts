import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { AUDIT_CRON, SWEEP_CRON } from "#coordinator/crons";
import { ConfigError, parseConfig } from "#coordinator/config";
import { LedgerCheck } from "#protocol/ledger-check";
import { Problem } from "#protocol/problem";
import { useCoordinator } from "#support/coordinator";

const coordinator = useCoordinator();

const password = () => readFileSync(join(coordinator().dataDir, "admin-password"), "utf8");

function ask(authorization?: string): Promise<Response> {
  return fetch(`${coordinator().url}/admin/ledger/check`, {
    ...(authorization !== undefined && { headers: { authorization } }),
  });
}

const basic = (name: string, secret: string) =>
  `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;

it("audits the ledger for an operator who shows the password of the data folder", async () => {
  const answer = await ask(basic("admin", password()));
  expect(answer.status).toBe(200);
  expect(LedgerCheck.parse(await answer.json()).offender_count).toBe(0);
});

it("keeps that password for its owner alone, and as long as the folder", () => {
  const path = join(coordinator().dataDir, "admin-password");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(password()).toMatch(/^[\w-]{43}$/);
});

it.each([
  ["nothing", () => undefined],
  ["another password", () => basic("admin", "x".repeat(43))],
  ["a password that only begins right", () => basic("admin", password().slice(0, -1))],
  ["another name", () => basic("root", password())],
  ["the password as a bearer token", () => `Bearer ${password()}`],
  ["no base64", () => "Basic %%%"],
])("answers 401 to %s", async (_what, header) => {
  const answer = await ask(header());
  expect(Problem.parse(await answer.json())).toMatchObject({
    status: 401,
    code: "credentials_invalid",
  });
  expect(answer.headers.get("www-authenticate")).toContain("Basic");
});

it("refuses to start with a password that can be guessed", () => {
  expect(() => parseConfig({ ADMIN_PASSWORD: "short" })).toThrow(ConfigError);
  expect(() => parseConfig({ ADMIN_PASSWORD: "short" })).toThrow(/ADMIN_PASSWORD: must have 16/);
});

it("runs both crons, which are the ones that Cloudflare runs", async () => {
  await coordinator().sweep();
  await coordinator().audit();
  const wrangler = readFileSync(join(import.meta.dirname, "../../wrangler.toml"), "utf8");
  const { triggers } = Bun.TOML.parse(wrangler) as { triggers: { crons: string[] } };
  expect(triggers.crons).toEqual([SWEEP_CRON, AUDIT_CRON]);
});
