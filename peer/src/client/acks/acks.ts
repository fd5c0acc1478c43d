import type { AckClaims } from "#protocol/ack";
import type { SubmitAnswer, SubmitRequest } from "#protocol/submit";
import { CliError } from "../../cli/error";
import type { Home } from "../../home/home";
import { createOutbox, type EndedItem } from "../../outbox/outbox";
import { openOutboxFile, openOutboxInMemory, type OutboxFile } from "../../outbox/outbox-file";
import { createSubmitter } from "../../outbox/submitter";
import { within } from "../../within";
import type { Clock } from "../../clock";
import { type AckBook, createAckBook } from "./ack-book";

/** The client's acks, from the requests that they are about to the coordinator. */
export type Acks = {
  readonly book: AckBook;
  /** Sends what an earlier run left. */
  start(): void;
  /** Ends what runs, sends what there is, closes the file. */
  readonly stop: () => Promise<void>;
};

export type AcksOptions = {
  readonly home: Home;
  /** As `CoordinatorApi` spells it. */
  readonly coordinatorUrl: string;
  readonly submit: (request: SubmitRequest) => Promise<SubmitAnswer>;
  readonly clock: Clock;
  readonly say: (line: string) => void;
};

/** For a coordinator that does not answer when this client stops: what it does not get now waits in the file. */
const GOODBYE_MS = 2_000;

/** Without its file a client goes on, and says so: an ack that is lost costs a node ten minutes, and nobody credits. */
export function openAcks(options: AcksOptions): Acks {
  const { home, clock } = options;
  const say = sayOnce(options.say);
  const outbox = createOutbox<never, AckClaims>({
    file: openFile(home.dir, say),
    coordinatorUrl: options.coordinatorUrl,
    onFull: () => say("Acks cannot be written; they wait in memory. Disk full?"),
  });
  const submitter = createSubmitter({
    outbox,
    clock,
    submit: (acks, tickets) => options.submit({ tickets, receipts: [], acks }),
    onRefused: (code) => say(`The coordinator refused an ack (${code}).`),
  });
  /** In this turn. A write costs more than all else that is done for an ack, so they are written together. */
  let ended: EndedItem<AckClaims>[] = [];
  function keepEnded(): void {
    if (ended.length === 0) return;
    const together = ended;
    ended = [];
    outbox.add(together);
    submitter.wake();
  }
  const book = createAckBook({
    clock,
    keep(ticket, ack) {
      if (ended.length === 0) setImmediate(keepEnded);
      ended.push({ ticket, item: ack });
    },
  });
  return {
    book,
    start: submitter.wake,
    async stop() {
      book.leaveAll();
      keepEnded();
      await within(GOODBYE_MS, submitter.flush());
      submitter.stop();
      outbox.close();
    },
  };
}

function openFile(homeDir: string, say: (line: string) => void): OutboxFile {
  try {
    return openOutboxFile(homeDir, "client");
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    const hint = error.hint === undefined ? "" : ` ${error.hint}`;
    say(`${error.message} This client goes on and keeps its acks in memory.${hint}`);
    return openOutboxInMemory();
  }
}

/** An ack that fails costs nobody more than a wait; the same line over and over would say no more. */
function sayOnce(say: (line: string) => void): (line: string) => void {
  const said = new Set<string>();
  return (line) => {
    if (said.has(line)) return;
    said.add(line);
    say(line);
  };
}
