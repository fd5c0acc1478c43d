import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  endOfString,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from "../../http/json-bytes";

/** Names by which apps tell a server that requests belong together: Codex, opencode, and others after them. */
const SESSION_HEADERS = ["session_id", "session-id", "x-session-id", "x-session-affinity"] as const;
/** OpenAI's own word for it, and what goes on from an answer that a server kept. */
const SESSION_FIELDS = [Buffer.from('"prompt_cache_key"'), Buffer.from('"previous_response_id"')];

/** Of what stands before the first thing that a user said, and of that. Some apps put pages of context there. */
const BEFORE_BYTES = 512;
const USER_BYTES = 32 * 1_024;
/** Looked at for the first `"role":"user"`; an app may have a field called user. */
const MOST_USERS = 8;
const LONGEST_NAME = 256;
/** Of a longer body only so much is looked at. */
const LOOKED_AT_BYTES = 1_024 * 1_024;

const USER = Buffer.from('"user"');
const LISTS = [Buffer.from('"messages"'), Buffer.from('"input"')];
const ROLE = /"role"\s*:\s*$/;

/**
 * A number that the turns of one conversation with a model have in common, and that others don't: from the name that the app gave it,
 * else from its beginning up to the first thing that the user said. `undefined` where the body shows none.
 */
export function conversationKey(model: string, headers: Headers, body: Buffer): number | undefined {
  for (const name of SESSION_HEADERS) {
    const value = headers.get(name);
    if (value !== null) return keyOfName(model, value);
  }
  if (headers.has("content-encoding")) return undefined;
  const bytes = body.length > LOOKED_AT_BYTES ? body.subarray(0, LOOKED_AT_BYTES) : body;
  for (const field of SESSION_FIELDS) {
    const value = stringField(bytes, field);
    if (value !== undefined) return keyOfName(model, value);
  }
  const user = firstUser(bytes);
  if (user === -1) return undefined;
  const end = endOfObject(bytes, user + USER.length);
  // What stands before the list may differ from turn to turn.
  let start = Math.max(0, user - BEFORE_BYTES);
  for (const name of LISTS) start = Math.max(start, bytes.lastIndexOf(name, user));
  return Bun.hash.xxHash32(bytes.subarray(start, end), Bun.hash.xxHash32(model));
}

/** The number of a conversation that has a name. */
export function keyOfName(model: string, name: string): number {
  return Bun.hash.xxHash32(name.slice(0, LONGEST_NAME), Bun.hash.xxHash32(model));
}

/** In the text of a string the quotes around a name would be escaped, so what is found is a key or a whole value. */
function stringField(bytes: Buffer, key: Buffer): string | undefined {
  const at = bytes.indexOf(key);
  if (at === -1) return undefined;
  const text = bytes.toString("latin1", at + key.length, at + key.length + LONGEST_NAME);
  return /^\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
}

/** Where the value of the first `"role":"user"` begins, or -1. */
function firstUser(bytes: Buffer): number {
  let at = bytes.indexOf(USER);
  for (let times = 0; at !== -1 && times < MOST_USERS; times++) {
    if (ROLE.test(bytes.toString("latin1", Math.max(0, at - 24), at))) return at;
    at = bytes.indexOf(USER, at + USER.length);
  }
  return -1;
}

/** Behind the object that `from` is in, or where enough of it has passed. */
function endOfObject(bytes: Buffer, from: number): number {
  const most = Math.min(bytes.length, from + USER_BYTES);
  const looked = most < bytes.length ? bytes.subarray(0, most) : bytes;
  let depth = 0;
  for (let at = from; at < most; at++) {
    switch (looked[at]) {
      case QUOTE:
        at = endOfString(looked, at + 1);
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth += 1;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth -= 1;
        if (depth < 0) return at;
        break;
      default:
    }
  }
  return most;
}
