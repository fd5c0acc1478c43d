import { ModelList, NodeListing, NodePage } from "#protocol/directory";
import { AMOUNT, boundsOf } from "./schema-bounds";

const listing = {
  node_id: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
  network: "public",
  state: "serving",
  models: [{ id: "llama3.1:8b", engine: "ollama", state: "cold" }],
  rate: 1_000_000,
  running: 0,
  waiting: 0,
  concurrency: 1,
  version: "0.1.0",
  seen_at: "2027-01-15T08:00:00.000Z",
};

boundsOf("NodeListing", NodeListing, listing, {
  integers: {
    rate: { min: 1, max: 8_000_000 },
    running: AMOUNT,
    waiting: AMOUNT,
    concurrency: { min: 1, max: Number.MAX_SAFE_INTEGER },
  },
  plain: ["node_id", "network", "models.0.id"],
  refuses: [
    ["a node on its way out", "state", "leaving"],
    ["a date without a time", "seen_at", "2027-01-15"],
    ["a time of another zone", "seen_at", "2027-01-15T08:00:00+01:00"],
  ],
});

boundsOf(
  "NodePage",
  NodePage,
  { nodes: [listing], next_cursor: "c" },
  { optional: ["next_cursor"], takes: [["no nodes at all", "nodes", []]] },
);

boundsOf(
  "ModelList",
  ModelList,
  {
    object: "list",
    data: [
      {
        id: "llama3.1:8b",
        object: "model",
        created: 1_700_000_000,
        owned_by: "troop",
        credits_per_1k_tokens: "12.5",
      },
    ],
  },
  {
    integers: { "data.0.created": AMOUNT },
    plain: ["data.0.id"],
    takes: [
      ["no models at all", "data", []],
      ["no price that is known", "data.0.credits_per_1k_tokens", undefined],
    ],
    refuses: [
      ["another kind of list", "object", "models"],
      ["another kind of item", "data.0.object", "node"],
      ["a price that is a number", "data.0.credits_per_1k_tokens", 12.5],
    ],
  },
);
