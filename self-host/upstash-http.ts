import { Command, type Redis } from "ioredis";
import { z } from "zod";
import { type LoopbackOptions, type LoopbackServer, serveLoopback } from "./loopback-server";
import { secretChecker } from "./secret";

/**
 * The wire protocol of Upstash's REST, as `@upstash/redis` 1.39 speaks it: `POST /` with one command as
 * a JSON array, `POST /pipeline` with a list of them, `POST /multi-exec` with a list that runs as one
 * transaction. `Authorization: Bearer <secret>`; `Upstash-Encoding: base64` asks for strings in base64.
 *
 * Answers: 200 with `{result}`, or for lists one `{result}` or `{error}` each; 400 with `{error}` where
 * Redis refuses or the request is not understood; 401 without the secret; 413; 503, in plain text, where
 * Redis cannot be asked or does not answer in time.
 */
export function serveUpstashHttp(
  redis: Redis,
  options: LoopbackOptions & { readonly secret: string },
): LoopbackServer {
  const isSecret = secretChecker(options.secret);
  return serveLoopback(async (request) => {
    if (!isSecret(bearerOf(request.headers))) {
      return failure(401, "Unauthorized: wrong token");
    }
    const run = ROUTES[`${request.method} ${new URL(request.url).pathname}`];
    if (run === undefined) return failure(404, "ERR not found");
    try {
      const isBase64 = request.headers.get("upstash-encoding") === "base64";
      return Response.json(await run(redis, await request.json(), isBase64 ? toBase64 : toText));
    } catch (error) {
      return refusal(error);
    }
  }, options);
}

/** What a `Buffer` of a reply is in the answer. */
type Encoding = (bytes: Buffer) => string;
type Run = (redis: Redis, body: unknown, encoding: Encoding) => Promise<object>;

const ROUTES: Readonly<Record<string, Run>> = {
  "POST /": async (redis, body, encoding) => {
    const reply = await send(redis, RedisCommand.parse(body));
    return outcome(reply, encoding);
  },
  "POST /pipeline": async (redis, body, encoding) => {
    const commands = RedisCommands.parse(body);
    const replies = await Promise.allSettled(commands.map((command) => send(redis, command)));
    return replies.map((reply) => {
      if (reply.status === "fulfilled") return outcome(reply.value, encoding);
      if (!isRedisRefusal(reply.reason)) throw reply.reason;
      return { error: reply.reason.message };
    });
  },
  "POST /multi-exec": async (redis, body, encoding) => {
    const commands = RedisCommands.parse(body);
    // Written in one go, so that nothing comes between them on the shared connection.
    const queued = [["MULTI"], ...commands].map((command) => send(redis, command));
    const [executed] = await Promise.allSettled([send(redis, ["EXEC"]), ...queued]);
    if (executed.status === "rejected") throw executed.reason;
    return Replies.parse(executed.value).map((reply) => outcome(reply, encoding));
  },
};

/** Commands that change the shared connection, or keep it waiting, would do so to everyone. */
const REFUSED = new Set(
  `AUTH HELLO SELECT QUIT RESET CLIENT READONLY READWRITE ASKING MULTI EXEC DISCARD WATCH UNWATCH
  SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC SHUTDOWN
  BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF`.split(/\s+/),
);

const Word = z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]);
const RedisCommand = z
  .array(Word)
  .min(1)
  .refine(([name = ""]) => !REFUSED.has(name.toUpperCase()), "not available over REST");
// Made once: a schema costs more than to parse with it.
const RedisCommands = z.array(RedisCommand);
const Replies = z.array(z.unknown());

function send(redis: Redis, [name = "", ...words]: readonly string[]): Promise<unknown> {
  // Byte strings stay bytes. In upper case ioredis takes the command for none that it knows, and does
  // not rewrite its arguments and its answer (it makes an object of what HGETALL answers).
  const command = new Command(name.toUpperCase(), words, { replyEncoding: null });
  return redis.sendCommand(command) as Promise<unknown>;
}

/** Inside the answer of a transaction an error is an element like any other. */
function outcome(reply: unknown, encoding: Encoding): { result: unknown } | { error: string } {
  return reply instanceof Error ? { error: reply.message } : { result: encode(reply, encoding) };
}

function encode(reply: unknown, encoding: Encoding): unknown {
  // Upstash leaves this one as it is.
  if (Buffer.isBuffer(reply)) return reply.equals(OK) ? "OK" : encoding(reply);
  return encodeNested(reply, encoding);
}

function encodeNested(reply: unknown, encoding: Encoding): unknown {
  if (Buffer.isBuffer(reply)) return encoding(reply);
  if (Array.isArray(reply)) return reply.map((element) => encodeNested(element, encoding));
  if (reply instanceof Error) return encoding(Buffer.from(reply.message));
  return reply;
}

const OK = Buffer.from("OK");
const toBase64: Encoding = (bytes) => bytes.toString("base64");
const toText: Encoding = (bytes) => bytes.toString("utf8");

/** ioredis throws this name for an answer of Redis, and other errors for a connection without one. */
function isRedisRefusal(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

function refusal(error: unknown): Response {
  if (isRedisRefusal(error)) return failure(400, error.message);
  if (error instanceof z.ZodError) {
    const [issue] = error.issues;
    const place = issue?.path.join(".") || "command";
    return failure(
      400,
      `ERR ${place}: ${issue?.code === "custom" ? issue.message : "not understood"}`,
    );
  }
  if (error instanceof SyntaxError) return failure(400, "ERR the body is not JSON");
  // No JSON: with `{error}` the library reports a refusal of Redis, whatever the status.
  return new Response("Redis does not answer", { status: 503 });
}

function failure(status: number, error: string): Response {
  return Response.json({ error }, { status });
}

function bearerOf(headers: Headers): string {
  return headers.get("authorization")?.replace(/^Bearer /i, "") ?? "";
}
