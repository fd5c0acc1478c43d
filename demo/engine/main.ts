import { parseArgs } from "node:util";
import { parseFault } from "./faults";
import { type DemoSettings, demoModel, VOICES, type VoiceName } from "./settings";
import { type DemoEngineOptions, startDemoEngine } from "./start";

const HELP = `bun demo/engine/main.ts [flags]: a stand-in for an inference engine; no model runs in it.

  --speak NAME            ${VOICES.join(" | ")} (default: ollama)
  --port N                default 0: any free port
  --host ADDRESS          default 127.0.0.1
  --model ID              repeatable; default: one model, named in that engine's manner
  --cold                  its models are not loaded until first used
  --context N             tokens of context
  --first-token-ms N      wait before the first token
  --tokens-per-second N   0 is as fast as possible
  --tokens-per-answer N   where max_tokens allows
  --slots N               requests at once
  --queue N               requests that wait for a slot; one more gets the engine's 503
  --load-ms N             time to load a cold model
  --api-key KEY           requests need it
  --fault SPEC            for every request, for instance "cut; after=3" or "error; status=503"
  --router                llama.cpp's router mode
`;

const FLAGS = {
  speak: { type: "string", default: "ollama" },
  port: { type: "string", default: "0" },
  host: { type: "string", default: "127.0.0.1" },
  model: { type: "string", multiple: true },
  cold: { type: "boolean", default: false },
  context: { type: "string" },
  "first-token-ms": { type: "string" },
  "tokens-per-second": { type: "string" },
  "tokens-per-answer": { type: "string" },
  slots: { type: "string" },
  queue: { type: "string" },
  "load-ms": { type: "string" },
  "api-key": { type: "string" },
  fault: { type: "string" },
  router: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

function main(): void {
  const { values } = parseArgs({ options: FLAGS });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const voice = VOICES.find((name) => name === values.speak);
  if (voice === undefined) throw new RangeError(`--speak is one of ${VOICES.join(", ")}`);
  const fault = values.fault === undefined ? null : parseFault(values.fault);
  if (values.fault !== undefined && fault === null) throw new RangeError("--fault names no fault");

  const engine = startDemoEngine(options(values, voice));
  if (fault !== null) engine.setFault(fault);
  const names = engine.models().map(({ id }) => id);
  process.stdout.write(
    `Demo engine (no model runs) as ${voice} at ${engine.url}: ${names.join(", ")}\n`,
  );
  const stop = (): void => void engine.close().then(() => process.exit(0));
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

type Values = ReturnType<typeof parseArgs<{ options: typeof FLAGS }>>["values"];

function options(values: Values, voice: VoiceName): DemoEngineOptions {
  const settings: Partial<DemoSettings> = {};
  if (values["first-token-ms"])
    settings.firstTokenMs = count("first-token-ms", values["first-token-ms"]);
  if (values["tokens-per-second"])
    settings.tokensPerSecond = count("tokens-per-second", values["tokens-per-second"]);
  if (values["tokens-per-answer"])
    settings.tokensPerAnswer = count("tokens-per-answer", values["tokens-per-answer"]);
  if (values.slots) settings.slots = count("slots", values.slots);
  if (values.queue) settings.queueLimit = count("queue", values.queue);
  if (values["load-ms"]) settings.loadMs = count("load-ms", values["load-ms"]);
  if (values["api-key"]) settings.apiKey = values["api-key"];
  settings.router = values.router;

  const traits = {
    loaded: !values.cold,
    ...(values.context ? { contextLength: count("context", values.context) } : {}),
  };
  return {
    ...settings,
    voice,
    port: count("port", values.port),
    hostname: values.host,
    ...(values.model ? { models: values.model.map((id) => demoModel(id, traits)) } : {}),
  };
}

function count(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`--${flag} takes a number from 0`);
  return value;
}

try {
  main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : "failed"}\n`);
  process.exit(2);
}
