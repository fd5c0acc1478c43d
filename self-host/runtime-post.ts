import { createCaller } from "#peer/http/call";
import { HOP_BY_HOP } from "#peer/http/pass-headers";
import { wholeBody } from "#peer/http/whole-body";

/**
 * The runtime closes a connection after 5 s without a request, whether or not the next one is on its way. One that is
 * used again long before that cannot meet its end, and a POST is never sent twice.
 */
const KEPT_MS = 2_000;
const call = createCaller({ idleMs: KEPT_MS, sendsAgain: false });

/** Said anew for the connection behind the front. */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "content-length",
  "expect",
  "host",
]);

/**
 * A POST to the runtime over a connection that is kept: a new one for each took a fifth of a call's CPU time.
 *
 * @throws where the runtime does not answer, or `signal` ends it.
 */
export async function postToRuntime(
  url: URL,
  headers: Headers,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Response> {
  const { answer, cut } = call({
    url: url.href,
    headers: {
      ...Object.fromEntries([...headers].filter(([name]) => !OF_ONE_HOP.has(name))),
      "content-length": body.length,
    },
    body: { kind: "whole", bytes: body },
  });
  signal.addEventListener("abort", cut, { once: true });
  const called = await answer;
  if (!called.ok) throw new Error(`the runtime gave no answer: ${called.reason}`);
  const { value } = called;
  const whole = value.takeWhole() ?? (await wholeBody(value));
  if (typeof whole === "string") throw new Error("the runtime broke off its answer");
  const said = new Headers();
  for (const [name, text] of value.headers) if (!OF_ONE_HOP.has(name)) said.append(name, text);
  return new Response(whole, { status: value.status, headers: said });
}
