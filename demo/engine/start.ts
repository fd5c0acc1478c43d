import { Fault, type FaultInput, parseFault } from "./faults";
import { createJournal, type Journal, type JournalOptions } from "./journal";
import { serve } from "./serve";
import {
  DEFAULT_MODELS,
  DEFAULT_SETTINGS,
  type DemoModel,
  type DemoSettings,
  type VoiceName,
} from "./settings";
import { createSlots } from "./slots";
import { startTicker } from "./ticker";
import type { Engine, Voice } from "./voice";
import { llamacpp } from "./voices/llamacpp";
import { lmstudio } from "./voices/lmstudio";
import { ollama } from "./voices/ollama";
import { plain } from "./voices/plain";
import { vllm } from "./voices/vllm";

export type DemoEngineOptions = Partial<DemoSettings> & {
  /** Which engine it speaks as. */
  readonly voice: VoiceName;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Default: 127.0.0.1. It has no protection worth the name; leave it there. */
  readonly hostname?: string;
  readonly models?: readonly DemoModel[];
  readonly journal?: JournalOptions;
};

export type DemoEngine = {
  /** Without a trailing slash, for instance `http://127.0.0.1:11434`. */
  readonly url: string;
  readonly port: number;
  readonly voice: VoiceName;
  readonly journal: Journal;
  /** Requests being served, and waiting for it. */
  load(): { busy: number; waiting: number };
  models(): readonly DemoModel[];
  setModels(models: readonly DemoModel[]): void;
  configure(settings: Partial<DemoSettings>): void;
  /** Makes the next `times` generating requests fail (default: all until it is set to null). */
  setFault(fault: FaultInput | null, times?: number): void;
  /** Resets open connections and frees the port. */
  close(): Promise<void>;
};

const VOICES: Readonly<Record<VoiceName, Voice>> = { ollama, vllm, lmstudio, llamacpp, plain };
const MAX_BODY_BYTES = 1024 ** 3;

/** Starts the demo engine; it listens when this returns. Throws if the port is taken. */
export function startDemoEngine(options: DemoEngineOptions): DemoEngine {
  const { voice: name, port = 0, hostname = "127.0.0.1", models, journal, ...settings } = options;
  const current: DemoSettings = { ...DEFAULT_SETTINGS, ...settings };
  const engine: Engine = {
    voice: VOICES[name],
    settings: current,
    models: models ?? DEFAULT_MODELS[name],
    slots: createSlots(current),
    ticker: startTicker(),
    journal: createJournal(journal),
  };
  let fault: { fault: Fault; left: number } | null = null;

  function takeFault(request: Request): Fault | null {
    const header = request.headers.get("x-demo-fault");
    if (header !== null) return parseFault(header);
    if (fault === null || request.method !== "POST") return null;
    const { fault: chosen } = fault;
    fault.left -= 1;
    if (fault.left <= 0) fault = null;
    return chosen;
  }

  const server = Bun.serve({
    port,
    hostname,
    // Bun's default of 10 s would end slow first tokens and stalls.
    idleTimeout: 0,
    maxRequestBodySize: MAX_BODY_BYTES,
    fetch(request) {
      const path = pathOf(request.url);
      const query = path.indexOf("?");
      const entry = engine.journal.open({
        method: request.method,
        path,
        headers: engine.journal.limit > 0 ? request.headers.toJSON() : {},
      });
      const call = { engine, request, entry, fault: takeFault(request) };
      return serve(call, query === -1 ? path : path.slice(0, query));
    },
  });

  return {
    url: `http://${hostname}:${server.port}`,
    port: server.port ?? 0,
    voice: name,
    journal: engine.journal,
    load: () => ({ busy: engine.slots.busy, waiting: engine.slots.waiting }),
    models: () => engine.models,
    setModels(next) {
      engine.models = next;
    },
    configure(changes) {
      Object.assign(current, changes);
    },
    setFault(next, times = Infinity) {
      fault = next === null ? null : { fault: Fault.parse(next), left: times };
    },
    async close() {
      engine.ticker.stop();
      await server.stop(true);
    },
  };
}

/** Path and query of an absolute URL; much cheaper than `new URL` on the hot path. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? "/" : url.slice(start);
}
