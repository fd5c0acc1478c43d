import { type Attack, attacks, type Honest } from "./attack";
import { by, QUESTIONS, ROLES, type Row } from "./network-rows";
import { accept, create, invite, world } from "./network-world";
import { asPeer, fieldsOf, newPeer } from "./peer-call";
import { ask, bearer, machineOf, newPerson } from "./people";
import { newKey } from "./tokens";

const HIDDEN = "404 not_found";
const INVALID = "400 request_invalid";
const NO_INVITE = "404 invite_invalid";
const ACCEPT = "POST /invites/accept";

/** Nobody outside learns more of a network that is there than of one that is not. */
const outside = (who: "stranger" | "removed", as: string): Attack[] =>
  QUESTIONS.map(([what, route, question]) => [
    `${as} that asks a network for ${what}`,
    `at ${route} of the coordinator`,
    HIDDEN,
    async (t) => {
      const w = await world(t);
      const [path, call] = question(w);
      return asPeer(t, w[who].key, path, call);
    },
  ]);

const JOINING: readonly Row[] = [
  ["an invite that was used up", ACCEPT, NO_INVITE, (t, w) => accept(t, w.stranger, w.usedCode)],
  [
    "an invite that was used up, by whom it let in once",
    ACCEPT,
    NO_INVITE,
    (t, w) => accept(t, w.removed, w.usedCode),
  ],
  [
    "an invite in capital letters",
    ACCEPT,
    INVALID,
    (t, w) => accept(t, w.stranger, w.openInvite.code.toUpperCase()),
  ],
  [
    "an invite with its coordinator",
    ACCEPT,
    INVALID,
    (t, w) => accept(t, w.stranger, `${w.openInvite.code}@${t.coordinator}`),
  ],
  ["an invite's id", ACCEPT, INVALID, (t, w) => accept(t, w.stranger, w.openInvite.id)],
  [
    "an invite with a letter changed",
    ACCEPT,
    NO_INVITE,
    (t, w) =>
      accept(
        t,
        w.stranger,
        `${w.openInvite.code.slice(0, -1)}${w.openInvite.code.endsWith("0") ? "1" : "0"}`,
      ),
  ],
  [
    "an invite by who is not registered",
    ACCEPT,
    "403 not_registered",
    async (t, w) => {
      return asPeer(t, newKey(), "/invites/accept", { body: { code: w.openInvite.code } });
    },
  ],
  [
    "an invite that was taken back",
    ACCEPT,
    NO_INVITE,
    async (t, w) => {
      const revoked = await invite(t, w.owner, w.id, "member");
      await fieldsOf(
        asPeer(t, w.owner.key, `/networks/${w.id}/invites/${revoked.id}`, { method: "DELETE" }),
      );
      return accept(t, w.stranger, revoked.code);
    },
  ],
  [
    "an invite by a machine that was signed out",
    ACCEPT,
    "403 peer_revoked",
    async (t, w) => {
      const person = await newPerson(t);
      const machine = await machineOf(t, person);
      await ask(t, `/auth/peers/${machine.key.peerId}/revoke`, {
        method: "POST",
        headers: bearer(person),
      });
      return accept(t, machine, w.openInvite.code);
    },
  ],
  [
    "a network of a machine's that was signed out",
    "POST /networks",
    "403 peer_revoked",
    async (t) => {
      const person = await newPerson(t);
      const machine = await machineOf(t, person);
      await ask(t, `/auth/peers/${machine.key.peerId}/revoke`, {
        method: "POST",
        headers: bearer(person),
      });
      return asPeer(t, machine.key, "/networks", { body: { name: "mine" } });
    },
  ],
  [
    "a second network of the same name",
    "POST /networks",
    "409 name_taken",
    (t, w) => asPeer(t, w.owner.key, "/networks", { body: { name: w.name } }),
  ],
];

const attacksOn = (rows: readonly Row[]): Attack[] =>
  rows.map(([tries, route, refusal, run]) => [
    tries,
    `at ${route} of the coordinator`,
    refusal,
    async (t) => run(t, await world(t)),
  ]);

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [
  [
    "a member's look at its network",
    200,
    async (t) => by("member", (w) => [`/networks/${w.id}/members`])(t, await world(t)),
  ],
  [
    "an owner's look at the invites",
    200,
    async (t) => by("owner", (w) => [`/networks/${w.id}/invites`])(t, await world(t)),
  ],
  [
    "an invite that another network's owner tried to take back",
    200,
    async (t) => {
      const w = await world(t);
      const other = await newPeer(t);
      const { id } = await create(t, other);
      await asPeer(t, other.key, `/networks/${id}/invites/${w.openInvite.id}`, {
        method: "DELETE",
      });
      return accept(t, other, w.openInvite.code);
    },
  ],
  ["an invite", 200, async (t) => accept(t, await newPeer(t), (await world(t)).openInvite.code)],
];

attacks(
  [
    ...outside("stranger", "a stranger"),
    ...outside("removed", "somebody who was taken out and"),
    ...attacksOn(ROLES),
    ...attacksOn(JOINING),
  ],
  honest,
);
