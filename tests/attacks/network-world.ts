import { z } from "zod";
import { asPeer, fieldsOf, newPeer, type Peer } from "./peer-call";
import type { Target } from "./target";

const Invite = z.object({ id: z.string(), invite: z.string() });
const Made = z.object({ id: z.string() });
type Role = "member" | "serve-only" | "use-only";

/** A private network with members of each role, one who was taken out, and one who never was in it. */
export type World = {
  readonly id: string;
  readonly name: string;
  readonly owner: Peer;
  readonly stranger: Peer;
  readonly removed: Peer;
  /** By which the one came in who was taken out. */
  readonly usedCode: string;
  readonly openInvite: { readonly id: string; readonly code: string };
} & Readonly<Record<"member" | "lender" | "borrower", Peer>>;

export async function invite(t: Target, owner: Peer, id: string, role: Role, uses = 1) {
  const body = { role, uses, expires_in_seconds: 600 };
  const made = Invite.parse(
    await fieldsOf(asPeer(t, owner.key, `/networks/${id}/invites`, { body })),
  );
  const code = made.invite.split("@")[0] ?? "";
  t.secrets.add(code);
  return { id: made.id, code };
}

export const accept = (t: Target, { key }: Peer, code: string) =>
  asPeer(t, key, "/invites/accept", { body: { code } });

export async function create(t: Target, owner: Peer, policy: object = {}) {
  const name = `team-${crypto.randomUUID().slice(0, 18)}`;
  t.secrets.add(name);
  const made = await fieldsOf(asPeer(t, owner.key, "/networks", { body: { name, policy } }));
  return { id: Made.parse(made).id, name };
}

async function join(t: Target, owner: Peer, id: string, role: Role): Promise<Peer> {
  const peer = await newPeer(t);
  await fieldsOf(accept(t, peer, (await invite(t, owner, id, role)).code));
  return peer;
}

async function makeWorld(t: Target): Promise<World> {
  const owner = await newPeer(t);
  const network = await create(t, owner, { allowed_models: ["allowed/model"] });
  const { id } = network;
  const used = await invite(t, owner, id, "member");
  const removed = await newPeer(t);
  await fieldsOf(accept(t, removed, used.code));
  await fieldsOf(
    asPeer(t, owner.key, `/networks/${id}/members/${removed.user}`, { method: "DELETE" }),
  );
  return {
    ...network,
    owner,
    removed,
    usedCode: used.code,
    openInvite: await invite(t, owner, id, "member", 5),
    stranger: await newPeer(t),
    member: await join(t, owner, id, "member"),
    lender: await join(t, owner, id, "serve-only"),
    borrower: await join(t, owner, id, "use-only"),
  };
}

const worlds = new WeakMap<Target, Promise<World>>();

export function world(t: Target): Promise<World> {
  const made = worlds.get(t) ?? makeWorld(t);
  worlds.set(t, made);
  return made;
}
