import { z } from "zod";
import { signE2eKey } from "#protocol/e2e-key";
import { generateE2eKey } from "#protocol/e2e-session";
import { SEALED_PATH } from "#protocol/sealed-message";
import { newPeer as coordinatorPeer } from "#support/test-peer";
import type { Behaviour } from "../peer/client/fake-node";
import { type Attack, attacks, type Honest } from "./attack";
import {
  askLiar,
  changed,
  flip,
  inTheOpen,
  type Lie,
  records,
  type Scene,
  sealedHeaders,
  STREAMED,
} from "./liar";

const AT_CLIENT = "at POST /v1/chat/completions of a client";
const UNREACHABLE = "503 node_unreachable";

/** Where a node would have its client go: another machine's services, with the request of the app. */
const REDIRECTS: readonly Attack[] = [301, 302, 303, 307, 308].flatMap((status): Attack[] => [
  [
    `a node that sends its client elsewhere by a ${status}`,
    AT_CLIENT,
    UNREACHABLE,
    (t) => askLiar(t, { lie: redirectTo(status, `${t.coordinator}/register`) }),
  ],
  [
    `a node that sends its client back to itself by a ${status}`,
    AT_CLIENT,
    UNREACHABLE,
    (t) => askLiar(t, { lie: redirectTo(status, SEALED_PATH) }),
  ],
]);

function redirectTo(status: number, location: string): Lie {
  let asked = 0;
  return () => {
    asked += 1;
    // Whoever followed would be given an answer here.
    if (asked > 6) return Response.json({ choices: [] });
    return new Response(null, { status, headers: { location } });
  };
}

const KEYS: readonly (readonly [tries: string, key: NonNullable<Scene["key"]>])[] = [
  ["that no key is", () => "none"],
  [
    "that somebody else signed",
    async () => {
      const other = await newIdentity();
      return signE2eKey(other, (await generateE2eKey()).x, Date.now());
    },
  ],
  [
    "whose signature was changed",
    ({ e2eKey }) => e2eKey.slice(0, -8) + (e2eKey.endsWith("AAAAAAAA") ? "BBBBBBBB" : "AAAAAAAA"),
  ],
  [
    "that has ended",
    async ({ identity }) =>
      signE2eKey(identity, (await generateE2eKey()).x, Date.now() - 40 * 24 * 3_600_000),
  ],
  ["of zeros", async ({ identity }) => signE2eKey(identity, "A".repeat(43), Date.now())],
];

async function newIdentity() {
  return (await coordinatorPeer("http://nowhere")).identity;
}

const OPEN: readonly (readonly [tries: string, lie: Lie])[] = [
  ["an answer in the open", inTheOpen(200, {})],
  [
    "an answer in the open that claims to be sealed",
    inTheOpen(200, { "content-type": "application/troop-sealed", "troop-session": "A".repeat(22) }),
  ],
  [
    "an answer in the open that claims a salt alone",
    inTheOpen(200, { "troop-session": "A".repeat(22) }),
  ],
  ["an error in the open", inTheOpen(400, {})],
  [
    "a refusal in the open that only what is sealed may say",
    inTheOpen(400, { "troop-refusal": "invalid_request" }),
  ],
  [
    "a refusal in the open that there is none of",
    inTheOpen(418, { "troop-refusal": "be_a_teapot" }),
  ],
  ["no answer", () => new Response(null, { status: 204 })],
];

/** What becomes of an answer whose first bytes are good: the app hears of it in the stream, so these have whole answers. */
const SEALED: readonly (readonly [
  tries: string,
  change: (bytes: Buffer) => Uint8Array | readonly Uint8Array[],
  answer?: Behaviour,
])[] = [
  ["an answer that was cut off in its first record", (bytes) => bytes.subarray(0, 20)],
  ["an answer whose head was changed", (bytes) => flip(bytes, 10)],
  ["an answer without its head", (bytes) => records(bytes).slice(1)],
  ["an answer whose records changed places", (bytes) => records(bytes).toReversed()],
  [
    "an answer whose head is its end",
    (bytes) => [Buffer.of((bytes[0] ?? 0) | 0x80), bytes.subarray(1)],
  ],
  ["a record longer than any is", () => Buffer.from("0fffffff00", "hex")],
  ["no byte at all", () => Buffer.alloc(0)],
  [
    "an answer that begins with another's end",
    (bytes) => [...records(bytes).slice(-1), ...records(bytes)],
    STREAMED,
  ],
];

const answers = new Map<string, { headers: Headers; bytes: Buffer }>();

const REPLAYS: readonly Attack[] = [
  [
    "an answer of another request, which was recorded",
    AT_CLIENT,
    UNREACHABLE,
    async (t) => {
      const name = crypto.randomUUID();
      await askLiar(t, {
        lie: async ({ honest }) => {
          const said = await honest();
          answers.set(name, said);
          return new Response(Uint8Array.from(said.bytes), {
            headers: sealedHeaders(said.headers),
          });
        },
      });
      const recorded = answers.get(name);
      if (recorded === undefined) throw new Error("The first request was not answered.");
      return askLiar(t, {
        lie: () =>
          new Response(Uint8Array.from(recorded.bytes), {
            headers: sealedHeaders(recorded.headers),
          }),
      });
    },
  ],
  [
    "an answer under another salt",
    AT_CLIENT,
    UNREACHABLE,
    (t) =>
      askLiar(t, {
        lie: async ({ honest }) => {
          const { headers, bytes } = await honest();
          const other = sealedHeaders(headers);
          other.set("troop-session", "B".repeat(22));
          return new Response(Uint8Array.from(bytes), { headers: other });
        },
      }),
  ],
];

/** What an engine's own answer, sealed as it should be, must not do to an app. */
const Shown = z.object({ choices: z.array(z.unknown()) });
const honest: Honest[] = [
  [
    "a node that tells the truth",
    200,
    async (t) => {
      const answer = await askLiar(t, { lie: changed((bytes) => bytes) });
      Shown.parse(await answer.clone().json());
      return answer;
    },
  ],
  [
    "a redirect by an engine, of which the app is told no address",
    307,
    async (t) => {
      const location = "http://127.0.0.1:1/elsewhere";
      const answer = await askLiar(t, {
        lie: changed((bytes) => bytes),
        answer: () =>
          new Response(null, { status: 307, headers: { location, "set-cookie": "a=b" } }),
      });
      const told = ["location", "set-cookie"].filter((name) => answer.headers.has(name));
      if (told.length > 0) throw new Error(`The app was told ${told.join(" and ")}.`);
      return answer;
    },
  ],
];

attacks(
  [
    ...REDIRECTS,
    ...KEYS.map(([tries, key]): Attack => [
      `a node under a key ${tries}`,
      AT_CLIENT,
      UNREACHABLE,
      (t) => askLiar(t, { lie: changed((bytes) => bytes), key }),
    ]),
    [
      "a node under a key for which it has no other half",
      AT_CLIENT,
      "502 coordinator_refused",
      (t) =>
        askLiar(t, {
          lie: changed((bytes) => bytes),
          key: async ({ identity }) => signE2eKey(identity, (await generateE2eKey()).x, Date.now()),
        }),
    ],
    ...OPEN.map(([tries, lie]): Attack => [
      tries,
      AT_CLIENT,
      UNREACHABLE,
      (t) => askLiar(t, { lie }),
    ]),
    ...SEALED.map(([tries, change, answer]): Attack => [
      tries,
      AT_CLIENT,
      UNREACHABLE,
      (t) => askLiar(t, { lie: changed(change), ...(answer !== undefined && { answer }) }),
    ]),
    ...REPLAYS,
  ],
  honest,
);
