import { describe, expect, it } from "vitest";
import { type Env, engineCandidates } from "#peer/engines/engine-env";

function urls(engineUrls: readonly string[], env: Env): string[] {
  return engineCandidates(engineUrls, env).candidates.map(({ target }) => target.rootUrl);
}

it("looks at the usual ports of this machine where nothing else is said", () => {
  expect(urls([], {})).toEqual([
    "http://127.0.0.1:11434",
    "http://127.0.0.1:8000",
    "http://127.0.0.1:1234",
    "http://127.0.0.1:8080",
    "http://127.0.0.1:9931",
  ]);
});

it("looks only where it is told with --engine, whatever the environment says", () => {
  expect(urls(["http://gpu:9/v1", "http://other"], { OLLAMA_HOST: "x" })).toEqual([
    "http://gpu:9",
    "http://other",
  ]);
});

it("looks where the environment says instead of at that engine's usual ports", () => {
  const env = { VLLM_HOST: "gpu", LMSTUDIO_URL: "http://box:1/v1", LLAMACPP_HOST: "0.0.0.0:7" };
  expect(urls([], env)).toEqual([
    "http://127.0.0.1:11434",
    "http://gpu:8000",
    "http://box:1",
    "http://127.0.0.1:7",
  ]);
});

describe("OLLAMA_HOST is read as Ollama reads it", () => {
  it.each([
    ["", "http://127.0.0.1:11434"],
    ["1.2.3.4", "http://1.2.3.4:11434"],
    ["1.2.3.4:5678", "http://1.2.3.4:5678"],
    [":5678", "http://127.0.0.1:5678"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:5678", "http://127.0.0.1:5678"],
    ["example.com", "http://example.com:11434"],
    ["http://1.2.3.4", "http://1.2.3.4"],
    ["https://1.2.3.4", "https://1.2.3.4"],
    ["https://1.2.3.4:5678", "https://1.2.3.4:5678"],
    ["example.com/ollama", "http://example.com:11434/ollama"],
    ["[::1]", "http://[::1]:11434"],
    ["[::1]:5678", "http://[::1]:5678"],
    ['"1.2.3.4"', "http://1.2.3.4:11434"],
    ["' 1.2.3.4 '", "http://1.2.3.4:11434"],
    ["1.2.3.4:66000", "http://1.2.3.4:11434"],
    ["1.2.3.4:-1", "http://1.2.3.4:11434"],
    ["1.2.3.4:", "http://1.2.3.4:11434"],
  ])("%j", (value, url) => {
    expect(urls([], { OLLAMA_HOST: value })[0]).toBe(url);
  });
});

it("says which setting is no URL, without repeating it", () => {
  const { candidates, refused } = engineCandidates(["http://u:hunter2@gpu", "gpu:1"], {});
  expect(candidates).toHaveLength(1);
  expect(refused).toEqual([
    {
      origin: "--engine",
      message: "--engine must hold no user or password; put the key into ENGINE_API_KEY",
    },
  ]);
  const fromEnv = engineCandidates([], { LMSTUDIO_URL: "ftp://x" });
  expect(fromEnv.refused).toEqual([
    { origin: "LMSTUDIO_URL", message: "LMSTUDIO_URL must be http:// or https://" },
  ]);
});

it("gives a key only to addresses that its owner named", () => {
  const env = { ENGINE_API_KEY: "e", VLLM_API_KEY: "v", LM_API_TOKEN: "l", LLAMA_API_KEY: "c" };
  const keysOf = (engines: readonly string[], more: Env): (string | undefined)[] =>
    engineCandidates(engines, { ...env, ...more }).candidates.map(({ target }) => target.apiKey);
  expect(keysOf([], {})).toEqual([undefined, undefined, undefined, undefined, undefined]);
  expect(keysOf(["gpu"], {})).toEqual(["e"]);
  expect(keysOf([], { VLLM_HOST: "gpu" })[1]).toBe("v");
});

it("looks at an address once, however often it is named", () => {
  expect(urls(["http://gpu:9", "gpu:9/v1"], {})).toEqual(["http://gpu:9"]);
});
