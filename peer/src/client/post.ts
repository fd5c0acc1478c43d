import { ModelId } from "#protocol/model-offer";
import { renameModel } from "../http/rename-model";
import { appError } from "./app/app-error";
import { type AskedUsage, askForUsage } from "./answer/asked-usage";
import type { Answered, AppRequest } from "./call/attempt";
import type { BodyBudget, BodyRefusal } from "./app/body-budget";
import { answerToApp } from "./answer/answer-to-app";
import { answerInTime } from "./answer/late-answer";
import { carry, type CarryDeps } from "./carry";
import { conversationKey } from "./nodes/conversation-key";
import { coordinatorError } from "./app/coordinator-error";
import type { LocalEngines } from "./local-engines";
import { unknownModel, unusableNetwork } from "./app/models-api";
import { namedModel } from "./app/named-model";
import type { Networks } from "./networks";
import { drop } from "./search";
import { wantsEvents } from "./app/wants-events";
import { verdictOn } from "./nodes/verdict";

/** A proof names the target behind its audience, in 4,096 characters. */
const MOST_TARGET_CHARACTERS = 4_000;

export type PostDeps = CarryDeps & {
  readonly networks: Networks;
  readonly bodies: BodyBudget;
  /** This client's own names for models. */
  readonly aliases: ReadonlyMap<string, string>;
  /** `undefined`: this machine's own engines are not used. */
  readonly local?: LocalEngines | undefined;
  /** Resolves when this peer is enrolled, or rejects with why not; a request waits for it. */
  readonly enrolled: () => Promise<unknown>;
};

/** One request of an app, whichever API it speaks: its body has to name a model. */
export async function post(deps: PostDeps, request: Request, target: string): Promise<Response> {
  const requestId = crypto.randomUUID();
  const refuse = (refusal: Response): Response => withId(refusal, requestId);
  if (target.length > MOST_TARGET_CHARACTERS) {
    const text = "The path and its query are too long. Send what they hold in the body.";
    return refuse(appError(414, "invalid_request", text));
  }
  const startedAtMs = deps.acks.steadyMs();
  const { headers, signal } = request;
  const held = await deps.bodies.read(request);
  if (!held.ok) return refuse(refuseBody(held));
  const { bytes: body, hash: bodyHash, release } = held.value;
  let answering: Promise<Response> | undefined;
  try {
    const looked = namedModel(headers, body);
    const named = looked instanceof Promise ? await looked : looked;
    if (named === undefined) {
      const text =
        "The body must be whole, JSON or a multipart form, and name a model; GET /v1/models lists them.";
      return refuse(appError(400, "model_required", text, { param: "model" }));
    }
    if (!ModelId.safeParse(named).success) {
      const text = "A model's name has 1 to 256 characters, and no control characters.";
      return refuse(appError(400, "invalid_request", text, { param: "model" }));
    }
    const alias = deps.aliases.get(named);
    const said: AppRequest = {
      model: named,
      target,
      headers,
      body,
      bodyHash,
      signal,
      requestId,
      startedAtMs,
    };
    const asked = alias === undefined ? said : renamed(said, alias);
    if (asked === undefined) return refuse(packed());
    asked.wantsEvents = wantsEvents(target, asked.body);
    answering = answer(deps, asked, release);
    return await (asked.wantsEvents ? answerInTime(answering, asked, deps.ticks) : answering);
  } finally {
    if (answering === undefined) release();
  }
}

/**
 * From this machine's engine, else from the network. `release` is called once, when nothing holds the request's body any
 * more.
 */
async function answer(deps: PostDeps, asked: AppRequest, release: () => void): Promise<Response> {
  const { model: name, headers, requestId } = asked;
  let isCarried = false;
  /** From here on the body is released when its answer has ended. */
  const over = (): (() => void) => {
    isCarried = true;
    return release;
  };
  let own: Answered | undefined;
  const refuse = (refusal: Response): Response =>
    own === undefined
      ? withId(refusal, requestId)
      : answerToApp(deps, { answered: own, attempts: 1 }, asked, over());
  try {
    if (deps.local !== undefined) {
      own = await deps.local.attempt(asked);
      if (own !== undefined && !lacks(own) && verdictOn(own) === "final") {
        return answerToApp(deps, { answered: own, attempts: 1 }, asked, over());
      }
    }
    await deps.enrolled();
    const picked = deps.networks.pick(name);
    if (!picked.ok) return refuse(unusableNetwork(picked));
    const { desk, model: called } = picked.value;
    const { leases, models } = desk;
    let model = models.aliasOf(called) ?? called;
    // With a ticket at hand nobody is asked anything.
    const isReady = leases.isReady(model) || leases.mayReturn(model);
    if (!isReady && (await models.has(model)) === false) {
      return refuse(await unknownModel(models, model));
    }
    // The list may have come with the question.
    model = models.aliasOf(called) ?? called;
    // Engines know nothing of networks, nor of other names.
    const said = model === name ? asked : renamed(asked, model);
    if (said === undefined) return refuse(packed());
    // Into this one: a copy of a request takes longer than its key.
    said.conversation = conversationKey(model, headers, said.body);
    if (asked.wantsEvents === true) said.withUsage = askedOnce(headers, said.body);
    if (own !== undefined && lacks(own)) {
      drop(own);
      own = undefined;
    }
    return await carry(deps, desk, said, own, over());
  } catch (error) {
    return refuse(coordinatorError(error));
  } finally {
    if (!isCarried) release();
  }
}

/** This machine's engine does not have what is asked for, the model or the path; nodes may. */
function lacks(own: Answered): boolean {
  return own.answer.status === 404;
}

/** Refusals have it as well: by it people tell each other which request they mean. */
function withId(refusal: Response, requestId: string): Response {
  refusal.headers.set("x-troop-request-id", requestId);
  return refusal;
}

/** The same request for a model by another name; `undefined` where the name can't be changed. */
function renamed(asked: AppRequest, model: string): AppRequest | undefined {
  const said = renameModel(asked.headers, asked.body, asked.model, model);
  return said && { ...asked, model, body: said.body, bodyHash: said.hash };
}

/** Made where a node is chosen whose engine counts only then, and once for all nodes that are tried. */
function askedOnce(headers: Headers, body: Buffer): () => AskedUsage | undefined {
  let asked: AskedUsage | undefined;
  let isMade = false;
  return () => {
    if (!isMade) asked = askForUsage(headers, body);
    isMade = true;
    return asked;
  };
}

function packed(): Response {
  const text =
    "The name of a model can't be changed in a packed body: no alias, and no network in front of it. Send it without content-encoding, or start the client with --network.";
  return appError(400, "invalid_request", text, { param: "model" });
}

function refuseBody({ reason }: BodyRefusal): Response {
  switch (reason) {
    case "too_large":
      return appError(
        413,
        "request_too_large",
        "The body is larger than 128 MiB. Send less at once.",
      );
    case "too_many":
      return appError(503, "node_busy", "Too many large bodies are on their way. Try again.", {
        headers: { "retry-after": "5" },
      });
    case "broken":
      return appError(400, "invalid_request", "The body did not arrive whole. Send it again.");
  }
}
