import type { CommandRow } from "../command";

export const COMMANDS: readonly CommandRow[] = [
  {
    name: "client",
    aliases: ["up"],
    summary: "Serve OpenAI's API on this machine, answered by other people's GPUs",
    examples: ["troop client --coordinator https://troop.example", "troop up --port 9001"],
    load: async () => (await import("./client")).client,
  },
  {
    name: "worker",
    aliases: [],
    summary: "Lend this machine's inference engine",
    examples: [
      "troop worker --coordinator https://troop.example",
      "troop worker --engine http://127.0.0.1:11434 --listen 100.64.0.7:8080",
    ],
    load: async () => (await import("./worker")).worker,
  },
  {
    name: "models",
    aliases: [],
    summary: "List the models that can be used now",
    examples: ["troop models", "troop models --json"],
    load: async () => (await import("./models")).models,
  },
  {
    name: "nodes",
    aliases: [],
    summary: "List the machines that lend now",
    examples: ["troop nodes", "troop nodes --model llama3.2:3b"],
    load: async () => (await import("./nodes")).nodes,
  },
  {
    name: "balance",
    aliases: [],
    summary: "Show your credits",
    examples: ["troop balance", "troop balance --json"],
    load: async () => (await import("./balance")).balance,
  },
  {
    name: "transactions",
    aliases: [],
    summary: "List what moved your credits, newest first",
    examples: ["troop transactions --limit 50", "troop transactions --cursor CURSOR"],
    load: async () => (await import("./transactions")).transactions,
  },
  {
    name: "status",
    aliases: [],
    summary: "Show this peer, its coordinator and what runs here",
    examples: ["troop status", "troop status --json"],
    load: async () => (await import("./status")).status,
  },
  {
    name: "version",
    aliases: [],
    summary: "Show the version",
    examples: ["troop version"],
    load: async () => (await import("./version")).version,
  },
];
