import type { TicketClaims } from "#protocol/ticket";
import type { ReceiptClaims, ReceiptOutcome } from "#protocol/receipt";
import type { ModelRoute } from "../../engines/catalogue";
import type { Usage } from "../../metering/usage";
import type { Clock } from "../../clock";
import { createCrowd } from "../../crowd";
import { type SilenceWatch, watchSilence } from "../serve/engine-silence";
import type { EngineThere } from "../../engines/engine-there";
import type { LeaseAccount } from "../admission/lease-book";
import { LONGEST_MS, type ReceiptOutbox } from "../serve/receipt-outbox";

/** Why this node ends a request early that its engine did not end. */
export type Cut = "client_left" | "budget_exhausted" | "engine_silent" | "user_active" | "stopping";

/** A request that was let in: whose it is, what it may cost, and who serves it. */
export type Admission = {
  readonly ticket: string;
  readonly claims: TicketClaims;
  readonly seq: number;
  readonly route: ModelRoute;
  readonly lease: LeaseAccount;
  /** Milliseconds that it waited for its place. */
  readonly queuedMs: number;
  /** Gives the place back. */
  readonly release: () => void;
};

export type JobEnd = {
  readonly outcome: ReceiptOutcome;
  readonly usage?: Usage;
  readonly responseHash?: string | undefined;
};

/** One request while an engine has it. It ends exactly once, in a receipt, unless the engine never got it. */
export type Job = {
  readonly cutBy: Cut | undefined;
  /** Ends it early; what is under way then is told by `onCut`. The first reason counts. */
  cut(by: Cut): void;
  onCut(run: () => void): void;
  /** Cuts it when the engine is silent because it is gone. */
  readonly silence: SilenceWatch;
  firstByte(): void;
  end(end: JobEnd): void;
  /** The engine never got it: no receipt, and the client may come again with this number. */
  forget(): void;
};

export type Jobs = {
  readonly size: number;
  /** `bodyHash`: SHA-256 of the body, base64url. Throws where the receipt cannot be kept. */
  begin(admission: Admission, bodyHash: string): Job;
  cutAll(by: Cut): void;
  /** Resolves when none runs. */
  drained(): Promise<void>;
};

export type JobsOptions = {
  readonly outbox: ReceiptOutbox;
  readonly clock: Clock;
  readonly isEngineThere: EngineThere;
  readonly onReceipt: () => void;
  /** It has ended, and its receipt is kept. */
  readonly onEnd?: (receipt: ReceiptClaims, route: ModelRoute) => void;
  /** Its engine has to load the model first. */
  readonly onColdModel?: (route: ModelRoute) => void;
};

const CHECKPOINT_EVERY_MS = 1_000;

export function createJobs(options: JobsOptions): Jobs {
  const { outbox, clock, isEngineThere, onReceipt, onEnd, onColdModel } = options;
  const running = createCrowd<Job>();
  let waiting: (() => void)[] = [];
  let isArmed = false;

  function checkpointWhileRunning(): void {
    if (isArmed || running.size === 0) return;
    isArmed = true;
    clock.after(CHECKPOINT_EVERY_MS, () => {
      isArmed = false;
      outbox.checkpoint(clock.wallMs());
      for (const job of running.all()) job.silence.look();
      checkpointWhileRunning();
    });
  }

  function begin(admission: Admission, bodyHash: string): Job {
    const { claims, seq, route, lease } = admission;
    const startMs = clock.steadyMs();
    const opened = {
      lease: claims.jti,
      seq,
      model: claims.model,
      engine: route.engine.kind,
      started_at_ms: clock.wallMs(),
      queue_ms: Math.min(LONGEST_MS, admission.queuedMs),
      request_hash: bodyHash,
    };
    const open = outbox.open(admission.ticket, opened);
    if (route.offer.state === "cold") onColdModel?.(route);
    let cutBy: Cut | undefined;
    let cutShort = (): void => {};
    let ttftMs: number | undefined;
    let hasEnded = false;
    const endCharge = lease.charge(() => job.cut("budget_exhausted"));
    const silence = watchSilence(
      clock,
      () => isEngineThere(route.engine),
      () => job.cut("engine_silent"),
    );

    function leave(): boolean {
      if (hasEnded) return false;
      hasEnded = true;
      running.leave(place);
      endCharge();
      silence.stop();
      admission.release();
      if (running.size > 0) return true;
      for (const resolve of waiting) resolve();
      waiting = [];
      return true;
    }
    const elapsedMs = (): number => Math.min(LONGEST_MS, Math.round(clock.steadyMs() - startMs));

    const job: Job = {
      get cutBy() {
        return cutBy;
      },
      cut(by) {
        if (hasEnded || cutBy !== undefined) return;
        cutBy = by;
        cutShort();
      },
      onCut(run) {
        cutShort = run;
        if (cutBy !== undefined) run();
      },
      silence,
      firstByte() {
        ttftMs ??= elapsedMs();
      },
      end({ outcome, usage = {}, responseHash }) {
        const engineMs = elapsedMs();
        if (!leave()) return;
        const { promptTokens, completionTokens } = usage;
        const receipt: ReceiptClaims = { ...opened, engine_ms: engineMs, outcome };
        if (ttftMs !== undefined) receipt.ttft_ms = ttftMs;
        if (promptTokens !== undefined) receipt.prompt_tokens = promptTokens;
        if (completionTokens !== undefined) receipt.completion_tokens = completionTokens;
        if (responseHash !== undefined) receipt.response_hash = responseHash;
        outbox.complete(open, receipt);
        onEnd?.(receipt, route);
        onReceipt();
      },
      forget() {
        if (!leave()) return;
        lease.unclaim(seq);
        outbox.forget(open);
      },
    };
    const place = running.enter(job);
    checkpointWhileRunning();
    return job;
  }

  return {
    get size() {
      return running.size;
    },
    begin,
    cutAll(by) {
      for (const job of running.all()) job.cut(by);
    },
    drained: () =>
      running.size === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve)),
  };
}
