import { expect } from "vitest";
import { Session } from "#protocol/person";
import type { TestCoordinator } from "#support/coordinator";

export const PASSWORD = "correct horse battery";

/** Somebody's browser or program: it sends what it was given, and what the test says. */
export type Ask = {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
};

let made = 0;
export const newEmail = () => `person-${++made}-${crypto.randomUUID()}@example.org`;

export function peopleOf(coordinator: () => TestCoordinator) {
  function ask(path: string, { method, body, headers }: Ask = {}): Promise<Response> {
    return fetch(coordinator().url + path, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  /** A person with a session by token. */
  async function person(email: string = newEmail()) {
    const body = { email, password: PASSWORD, session: "bearer" };
    const answer = await ask("/auth/register", { body });
    expect(answer.status).toBe(201);
    const session = Session.parse(await answer.json());
    const bearer = { authorization: `Bearer ${session.token}` };
    return {
      email,
      token: session.token ?? "",
      user: session.user_id,
      bearer,
      ask: (path: string, { headers, ...rest }: Ask = {}) =>
        ask(path, { ...rest, headers: { ...bearer, ...headers } }),
    };
  }

  return { ask, person };
}
