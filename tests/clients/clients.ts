import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

/** A program that people use a model with, run once for one answer. */
export type Client = {
  /** What it asks, with its query. */
  readonly target: string;
  /** As npm installs it; a version that was tried. */
  readonly package: string;
  /** Of its command in `node_modules/.bin`, where it is not another that runs it. */
  readonly bin: string;
  readonly command?: (installed: string, place: Place) => readonly string[];
  readonly args: (model: string) => readonly string[];
  /** Besides `PATH` and a `HOME` of its own. */
  readonly env: (place: Place) => Readonly<Record<string, string>>;
  /** Files below its home, by path. */
  readonly files?: (place: Place) => Readonly<Record<string, string>>;
};

export type Place = {
  /** The client's endpoint, without `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  readonly home: string;
};

const PROMPT = "hi";
const ANY_KEY = "any";
const IN_BROWSER = join(import.meta.dirname, "in-browser.ts");

export const CLIENTS: readonly Client[] = [
  {
    target: "/v1/responses",
    package: "@openai/codex@0.169.0",
    bin: "codex",
    args: () => ["exec", "--skip-git-repo-check", "-s", "read-only", PROMPT],
    env: ({ home }) => ({ CODEX_HOME: join(home, ".codex"), TROOP_KEY: ANY_KEY }),
    files: ({ baseUrl, model }) => ({
      ".codex/config.toml": [
        `model = ${JSON.stringify(model)}`,
        'model_provider = "troop"',
        "[model_providers.troop]",
        'name = "troop"',
        `base_url = ${JSON.stringify(`${baseUrl}/v1`)}`,
        'wire_api = "responses"',
        'env_key = "TROOP_KEY"',
        "request_max_retries = 0",
        "",
      ].join("\n"),
    }),
  },
  {
    target: "/v1/chat/completions",
    package: "opencode-ai@1.18.33",
    bin: "opencode",
    args: (model) => ["run", "--model", `troop/${model}`, PROMPT],
    env: () => ({ OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_AUTOUPDATE: "1" }),
    files: ({ baseUrl, model }) => ({
      ".config/opencode/opencode.json": JSON.stringify({
        autoupdate: false,
        provider: {
          troop: {
            npm: "@ai-sdk/openai-compatible",
            options: { baseURL: `${baseUrl}/v1`, apiKey: ANY_KEY },
            models: { [model]: {} },
          },
        },
      }),
    }),
  },
  {
    target: "/v1/chat/completions",
    package: "@qwen-code/qwen-code@0.15.10",
    bin: "qwen",
    args: () => ["--auth-type", "openai", "-p", PROMPT],
    env: ({ baseUrl, model }) => ({
      OPENAI_BASE_URL: `${baseUrl}/v1`,
      OPENAI_API_KEY: ANY_KEY,
      OPENAI_MODEL: model,
    }),
  },
  {
    target: "/v1/messages?beta=true",
    package: "@anthropic-ai/claude-code@2.1.329",
    bin: "claude",
    args: (model) => ["-p", PROMPT, "--model", model],
    env: ({ baseUrl }) => ({
      ANTHROPIC_BASE_URL: baseUrl,
      ANTHROPIC_AUTH_TOKEN: ANY_KEY,
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    }),
  },
  {
    target: "/v1/chat/completions",
    package: "@sparticuz/chromium@147.0.0",
    bin: "chromium",
    command: (installed, { baseUrl }) => [process.execPath, IN_BROWSER, installed, baseUrl],
    args: (model) => [model],
    env: ({ home }) => ({ TMPDIR: home }),
  },
];

export type Ran = { readonly exitCode: number; readonly out: string; readonly seconds: number };

/** Nothing of the person's who runs this is seen or changed: no home, no setting, no key. */
export async function runClient(
  client: Client,
  installed: string,
  place: Place,
  limitMs: number,
): Promise<Ran> {
  for (const [path, text] of Object.entries(client.files?.(place) ?? {})) {
    await mkdir(dirname(join(place.home, path)), { recursive: true });
    await Bun.write(join(place.home, path), text);
  }
  const startedMs = performance.now();
  const usual = [join(installed, "node_modules/.bin", client.bin)];
  const child = Bun.spawn(
    [...(client.command?.(installed, place) ?? usual), ...client.args(place.model)],
    {
      cwd: place.home,
      env: { PATH: process.env["PATH"] ?? "", HOME: place.home, ...client.env(place) },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: limitMs,
      killSignal: "SIGKILL",
    },
  );
  const [exitCode, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const seconds = (performance.now() - startedMs) / 1_000;
  return { exitCode, out: `${out}\n${err}`, seconds };
}
