import type { AckClaims } from "#protocol/ack";
import type { Clock } from "../../clock";
import { createCrowd } from "../../crowd";

/** A request on its way to a node. */
export type SentRequest = Pick<AckClaims, "lease" | "seq" | "node" | "request_hash"> & {
  readonly ticket: string;
};
/** What this side saw of it by its end. */
export type SeenEnd = Omit<
  AckClaims,
  "lease" | "seq" | "node" | "request_hash" | "wall_ms" | "ttft_ms"
>;

/** The client's half of one request; the node's is its receipt. */
export type OpenAck = {
  /** Something of the answer has come; the first time counts. */
  firstByte(): void;
  /** The first end counts. */
  end(seen: SeenEnd): void;
};

export type Moment = { readonly steadyMs: number; readonly wallMs: number };

export type AckBook = {
  now(): Moment;
  /** The half of it that durations are measured by. */
  steadyMs(): number;
  /**
   * A request has been sent; `since`: just before. Each that may have reached its node is acked, also where the node
   * refused it: what it claims for it all the same is then contradicted.
   */
  begin(sent: SentRequest, since: Moment): OpenAck;
  /** What still runs is left now. */
  leaveAll(): void;
};

export type AckBookOptions = {
  readonly clock: Pick<Clock, "steadyMs" | "wallMs">;
  readonly keep: (ticket: string, ack: AckClaims) => void;
};

const LONGEST_MS = 86_400_000;

/**
 * Nothing is written before a request has ended: an ack that a crash made up could only guess, and one that is lost
 * costs its node ten minutes.
 */
export function createAckBook({ clock, keep }: AckBookOptions): AckBook {
  const running = createCrowd<OpenAck>();

  function begin(sent: SentRequest, since: Moment): OpenAck {
    let ttftMs: number | undefined;
    /** Some machines' steady clocks stand still while they sleep; too much accuses no honest node, too little would. */
    function elapsedMs(): number {
      const ms = Math.max(clock.steadyMs() - since.steadyMs, clock.wallMs() - since.wallMs);
      return Math.min(LONGEST_MS, Math.ceil(ms));
    }
    const open: OpenAck = {
      firstByte() {
        ttftMs ??= elapsedMs();
      },
      end(seen) {
        if (!running.leave(place)) return;
        const { ticket, lease, seq, node, request_hash } = sent;
        const { outcome, prompt_tokens, completion_tokens, response_hash } = seen;
        const ack: AckClaims = { lease, seq, node, request_hash, wall_ms: elapsedMs(), outcome };
        if (ttftMs !== undefined) ack.ttft_ms = ttftMs;
        if (prompt_tokens !== undefined) ack.prompt_tokens = prompt_tokens;
        if (completion_tokens !== undefined) ack.completion_tokens = completion_tokens;
        if (response_hash !== undefined) ack.response_hash = response_hash;
        keep(ticket, ack);
      },
    };
    const place = running.enter(open);
    return open;
  }

  return {
    now: () => ({ steadyMs: clock.steadyMs(), wallMs: clock.wallMs() }),
    steadyMs: () => clock.steadyMs(),
    begin,
    leaveAll() {
      for (const open of running.all()) open.end({ outcome: "cancelled" });
    },
  };
}
