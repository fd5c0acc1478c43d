import {
  Authorization,
  AuthorizeRequest,
  Candidate,
  ExtendRequest,
  Extension,
} from "#protocol/authorize";
import { MAX_CANDIDATES } from "#protocol/ticket";
import { AMOUNT, boundsOf } from "./schema-bounds";

const NODE = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const LEASE = "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b";
const PAID = { min: 1, max: Number.MAX_SAFE_INTEGER };

const candidate = {
  node_id: NODE,
  urls: ["http://100.64.0.7:8080"],
  e2e_key: "the.nodes.key",
  engine: "vllm",
  rate: 1_000_000,
  own: false,
  expected_ms: 900,
};

boundsOf(
  "AuthorizeRequest",
  AuthorizeRequest,
  { model: "llama3.1:8b", network: "public", budget: 1_000_000, exclude: [NODE] },
  {
    optional: ["network", "budget", "exclude"],
    integers: { budget: PAID },
    texts: { model: { min: 1, max: 256 } },
    lists: { exclude: { min: 0, max: 32 } },
    plain: ["model", "network", "exclude.0"],
  },
);

boundsOf("Candidate", Candidate, candidate, {
  texts: { e2e_key: { min: 1, max: 1_024 } },
  integers: { rate: { min: 0, max: 8_000_000 }, expected_ms: AMOUNT },
  plain: ["node_id"],
  refuses: [
    ["no address", "urls", []],
    ["an address that is no URL", "urls", ["nowhere"]],
    ["a host name for an address", "urls", ["http://node.example:8080"]],
    ["an engine that nobody knows", "engine", "excel"],
    ["a text for own", "own", "false"],
  ],
});

boundsOf(
  "Authorization",
  Authorization,
  {
    ticket: "t",
    lease_id: LEASE,
    network: "public",
    model: "llama3.1:8b",
    budget: 60_000_000,
    expires_at: 1_800_000_300,
    candidates: [candidate],
  },
  {
    integers: { budget: AMOUNT },
    lists: { candidates: { min: 1, max: MAX_CANDIDATES } },
    plain: ["model", "network", "lease_id"],
    refuses: [
      ["an empty ticket", "ticket", ""],
      ["a fraction in expires_at", "expires_at", 0.5],
    ],
  },
);

boundsOf(
  "ExtendRequest",
  ExtendRequest,
  { ticket: "t", add: 1 },
  { integers: { add: PAID }, texts: { ticket: { min: 1, max: 4_096 } } },
);

boundsOf(
  "Extension",
  Extension,
  { ticket: "t", lease_id: LEASE, budget: 1, expires_at: 1_800_000_300 },
  {
    integers: { budget: AMOUNT },
    refuses: [
      ["an empty ticket", "ticket", ""],
      ["a lease that is no UUID", "lease_id", "lease-1"],
    ],
  },
);
