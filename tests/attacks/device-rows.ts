import type { Attack } from "./attack";
import { asPeer, newPeer } from "./peer-call";
import { ask, bearer, begin, decide, people, poll } from "./people";

const at = (route: string): string => `at ${route} of the coordinator`;
const INVALID = "400 request_invalid";
const MISSING = "401 session_missing";
const HIDDEN = "404 not_found";
const OVER = "400 expired_token";

const AT_TOKEN = at("POST /auth/device/token");
const AT_DECIDE = at("POST /auth/device/decide");
/** On the codes by which a machine becomes part of a person's account. */
export const deviceAttacks: readonly Attack[] = [
  [
    "a code that was overheard",
    AT_TOKEN,
    OVER,
    async (t) => {
      const [peer, thief] = [await newPeer(t), await newPeer(t)];
      const begun = await begin(t, peer);
      await decide(t, (await people(t)).one, begun);
      return poll(t, thief, begun);
    },
  ],
  [
    "a code that was guessed",
    AT_TOKEN,
    OVER,
    async (t) => poll(t, await newPeer(t), { device_code: "A".repeat(43), user_code: "" }),
  ],
  [
    "the person's code in the place of the machine's",
    AT_TOKEN,
    OVER,
    async (t) => {
      const peer = await newPeer(t);
      const begun = await begin(t, peer);
      return poll(t, peer, { ...begun, device_code: begun.user_code });
    },
  ],
  [
    "a code from before its machine was signed out",
    AT_TOKEN,
    OVER,
    async (t) => {
      const [{ one }, peer] = [await people(t), await newPeer(t)];
      const begun = await begin(t, peer);
      await decide(t, one, begun);
      await poll(t, peer, begun);
      const path = `/auth/peers/${peer.key.peerId}/revoke`;
      await ask(t, path, { method: "POST", headers: bearer(one) });
      return poll(t, peer, begun);
    },
  ],
  [
    "a code that was refused",
    AT_TOKEN,
    OVER,
    async (t) => {
      const peer = await newPeer(t);
      const begun = await begin(t, peer);
      await decide(t, (await people(t)).one, begun, false);
      await poll(t, peer, begun);
      return poll(t, peer, begun);
    },
  ],
  [
    "a machine's own word that it is approved",
    AT_TOKEN,
    "400 authorization_pending",
    async (t) => {
      const { key } = await newPeer(t);
      const { device_code } = await begin(t, { key });
      const body = { device_code, decision: { state: "approved" }, approve: true };
      return asPeer(t, key, "/auth/device/token", { body });
    },
  ],
  [
    "a yes by nobody",
    AT_DECIDE,
    MISSING,
    async (t) => {
      const { user_code } = await begin(t, await newPeer(t));
      return ask(t, "/auth/device/decide", { body: { user_code, approve: true } });
    },
  ],
  [
    "a yes by the machine that asks",
    AT_DECIDE,
    MISSING,
    async (t) => {
      const { key } = await newPeer(t);
      const { user_code } = await begin(t, { key });
      return asPeer(t, key, "/auth/device/decide", { body: { user_code, approve: true } });
    },
  ],
  [
    "a second word on a code",
    AT_DECIDE,
    HIDDEN,
    async (t) => {
      const [{ one, other }, peer] = [await people(t), await newPeer(t)];
      const begun = await begin(t, peer);
      await decide(t, one, begun, false);
      return decide(t, other, begun);
    },
  ],
  [
    "a code that no machine shows",
    at("POST /auth/device/find"),
    HIDDEN,
    async (t) => {
      const headers = bearer((await people(t)).one);
      return ask(t, "/auth/device/find", { body: { user_code: "BBBBBBBB" }, headers });
    },
  ],
  [
    "a code in letters that look like others",
    at("POST /auth/device/find"),
    INVALID,
    async (t) => {
      const headers = bearer((await people(t)).one);
      return ask(t, "/auth/device/find", { body: { user_code: "\u0412CDF-GHJK" }, headers });
    },
  ],
  [
    "a machine whose name writes over the terminal",
    at("POST /auth/device"),
    INVALID,
    async (t) =>
      asPeer(t, (await newPeer(t)).key, "/auth/device", { body: { name: "\u001b[2Jyours" } }),
  ],
  [
    "a machine whose name reads the other way round",
    at("POST /auth/device"),
    INVALID,
    async (t) =>
      asPeer(t, (await newPeer(t)).key, "/auth/device", { body: { name: "a\u202etop" } }),
  ],
  // The last of these, since it fills the window.
  [
    "more codes than an address gets, by claiming to be at others",
    at("POST /auth/device"),
    "429 rate_limited",
    async (t) => {
      const { key } = await newPeer(t);
      for (let turn = 0; ; turn += 1) {
        const elsewhere = `203.0.113.${turn}`;
        const names = [
          "cf-connecting-ip",
          "x-forwarded-for",
          "x-real-ip",
          "forwarded",
          "true-client-ip",
        ];
        const headers = Object.fromEntries(names.map((name) => [name, elsewhere]));
        const answer = await asPeer(t, key, "/auth/device", { body: {}, headers });
        if (answer.status !== 200 || turn === 40) return answer;
      }
    },
  ],
];
