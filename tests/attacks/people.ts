import { z } from "zod";
import { send } from "./attack";
import { asPeer, type Call, fieldsOf, newPeer, type Peer } from "./peer-call";
import type { Target } from "./target";

/** A person who is logged in by a token and, as a browser, by a cookie. */
export type Person = {
  readonly email: string;
  readonly password: string;
  readonly user: string;
  readonly token: string;
  /** As it is sent. */
  readonly cookie: string;
};

const Opened = z.object({ user_id: z.string(), token: z.string().optional() });
const Begun = z.object({ device_code: z.string(), user_code: z.string() });
export type Begun = z.infer<typeof Begun>;

/** What anybody asks of the coordinator, as JSON. */
export function ask(t: Target, path: string, { method, body, headers }: Call = {}) {
  return send(t, t.coordinator + path, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

export const bearer = ({ token }: Pick<Person, "token">) => ({ authorization: `Bearer ${token}` });
/** A browser that shows a page of the coordinator's own. */
export const browser = (t: Target, { cookie }: Pick<Person, "cookie">) => ({
  cookie,
  origin: t.coordinator,
});

/** Whatever is known of a person is in no answer to others, and in no log. */
export async function newPerson(t: Target): Promise<Person> {
  const email = `${crypto.randomUUID()}@example.org`;
  const password = `pass-${crypto.randomUUID()}`;
  const said = await fieldsOf(
    ask(t, "/auth/register", { body: { email, password, session: "bearer" } }),
  );
  const { user_id: user, token = "" } = Opened.parse(said);
  const login = await ask(t, "/auth/login", { body: { email, password } });
  const cookie = (login.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  for (const secret of [email, password, token, cookie.slice(cookie.indexOf("=") + 1)]) {
    if (secret.length < 12) throw new Error("A person was not let in.");
    t.secrets.add(secret);
  }
  return { email, password, user, token, cookie };
}

/** A code that a peer asks for; what it shows is nobody else's to know. */
export async function begin(t: Target, { key }: Pick<Peer, "key">): Promise<Begun> {
  const begun = Begun.parse(await fieldsOf(asPeer(t, key, "/auth/device", { body: {} })));
  t.secrets.add(begun.device_code);
  return begun;
}

export const decide = (t: Target, by: Person, { user_code }: Begun, approve = true) =>
  ask(t, "/auth/device/decide", { body: { user_code, approve }, headers: bearer(by) });

export const poll = (t: Target, { key }: Pick<Peer, "key">, { device_code }: Begun) =>
  asPeer(t, key, "/auth/device/token", { body: { device_code } });

/** A machine of a person's. */
export async function machineOf(t: Target, person: Person): Promise<Peer> {
  const peer = await newPeer(t);
  const begun = await begin(t, peer);
  await fieldsOf(decide(t, person, begun));
  await fieldsOf(poll(t, peer, begun));
  return { ...peer, user: person.user };
}

const scenes = new WeakMap<Target, Promise<{ one: Person; other: Person; machine: Peer }>>();

/** Two people who are there for all rows, and a machine of the other's. */
export function people(t: Target) {
  const scene = scenes.get(t) ?? makeScene(t);
  scenes.set(t, scene);
  return scene;
}

async function makeScene(t: Target) {
  const [one, other] = [await newPerson(t), await newPerson(t)];
  return { one, other, machine: await machineOf(t, other) };
}
