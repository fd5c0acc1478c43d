import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OpenAiError } from "#protocol/openai-error";
import { Problem } from "#protocol/problem";
import { startTarget, type Target } from "./target";

/** One row: what the attacker tries, where, and the expected refusal as `status code`. */
export type Attack = readonly [
  tries: string,
  where: string,
  refusal: string,
  run: (target: Target) => Promise<Response>,
];

/** What is taken, and the status that says so. */
export type Honest = readonly [
  what: string,
  status: number,
  run: (target: Target) => Promise<Response>,
];

/** Long enough that it stands in no text by chance. */
const SECRET_CHARACTERS = 12;

type Sent = {
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
};

/** Sends a request; every value in it that could be a secret is one from then on. */
export function send(
  { secrets }: Target,
  url: string,
  { headers = {}, ...init }: Sent,
): Promise<Response> {
  for (const name of [
    "troop-proof",
    "troop-ticket",
    "troop-enrolment",
    "authorization",
    "cookie",
  ]) {
    const value = headers[name];
    if (value !== undefined && value.length >= SECRET_CHARACTERS) secrets.add(value);
  }
  const said = typeof init.body === "string" ? init.body : "";
  const marker = /secret-[0-9a-f-]{36}/.exec(said)?.[0];
  if (marker !== undefined) secrets.add(marker);
  return fetch(url, { ...init, headers, redirect: "manual" });
}

/** Runs the table against real processes; no answer and no log may repeat what was sent. */
export function attacks(rows: readonly Attack[], honest: readonly Honest[]): void {
  let target: Target | undefined;
  const running = (): Target => {
    if (target === undefined) throw new Error("The target has not started yet.");
    return target;
  };
  beforeAll(async () => {
    target = await startTarget();
  }, 120_000);
  afterAll(() => target?.stop());

  it("has a name of its own for each attack", () => {
    const names = rows.map(([tries, where]) => `${tries}, ${where}`);
    expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
  });

  describe.each([...new Set(rows.map(([, where]) => where))])("%s", (place) => {
    it.each(rows.filter(([, where]) => where === place))(
      "refuses %s, %s: %s",
      async (_tries, _where, refusal, run) => {
        const answer = await run(running());
        const text = await answer.text();
        expect(`${answer.status} ${codeIn(text)}`).toBe(refusal);
        expect(leaksIn(text, running())).toEqual([]);
      },
    );
  });

  it.each(honest)("takes %s", async (_what, status, run) => {
    expect((await run(running())).status).toBe(status);
  });

  it("has written none of it into a log", () => {
    expect(leaksIn(running().said(), running())).toEqual([]);
  });
}

function codeIn(text: string): string | null {
  const body: unknown = text === "" ? {} : JSON.parse(text);
  return Problem.safeParse(body).data?.code ?? OpenAiError.parse(body).error.code;
}

function leaksIn(text: string, { secrets }: Target): string[] {
  return [...secrets].filter((secret) => text.includes(secret));
}
