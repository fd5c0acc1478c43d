import { expect, it } from "vitest";
import { EXIT } from "#peer/cli/error";
import type { Earnings } from "#protocol/statement";
import { setUp, USER } from "./troop-under-test";

const NODE = "n".repeat(43);
const NONE = { requests: 0, completion_tokens: 0, credits: "0", microcredits: 0 };
const EARNINGS: Earnings = {
  user_id: USER,
  days: 7,
  total: { requests: 3, completion_tokens: 1_200, credits: "4.5", microcredits: 4_500_000 },
  by_day: [
    {
      day: "2030-01-02",
      requests: 1,
      completion_tokens: 200,
      credits: "0.5",
      microcredits: 500_000,
    },
    {
      day: "2030-01-01",
      requests: 2,
      completion_tokens: 1_000,
      credits: "4",
      microcredits: 4_000_000,
    },
  ],
  by_model: [
    {
      model: "qwen3:8b",
      requests: 3,
      completion_tokens: 1_200,
      credits: "4.5",
      microcredits: 4_500_000,
    },
  ],
  by_node: [
    {
      node_id: NODE,
      name: "tower",
      requests: 3,
      completion_tokens: 1_200,
      credits: "4.5",
      microcredits: 4_500_000,
      live: true,
      chosen: 9,
      passed_over: { busy: 2, slower: 30 },
    },
    { node_id: "m".repeat(43), ...NONE, live: false, chosen: 0, passed_over: {} },
  ],
};

function answering(earnings: Earnings) {
  return setUp({ [`GET /users/${USER}/earnings`]: () => Response.json(earnings) });
}

it("shows what was earned by day, by model and by node, and why a node was not chosen", async () => {
  const { run, coordinator } = await answering(EARNINGS);
  const { exit, out, err } = await run("earnings", "--days", "7");
  expect({ exit, err }).toEqual({ exit: EXIT.ok, err: "" });
  expect(out).toBe(
    "4.5 credits in the last 7 days, for 3 requests and 1200 tokens.\n" +
      "\n" +
      "DAY (UTC)   CREDITS  REQUESTS  TOKENS\n" +
      "2030-01-02  0.5      1         200\n" +
      "2030-01-01  4        2         1000\n" +
      "\n" +
      "MODEL     CREDITS  REQUESTS  TOKENS\n" +
      "qwen3:8b  4.5      3         1200\n" +
      "\n" +
      "NODE          NOW   CREDITS  REQUESTS  TOKENS  CHOSEN  PASSED OVER\n" +
      "tower         live  4.5      3         1200    9       30 slower, 2 busy\n" +
      "mmmmmmmmmmmm  away  0        0         0       0       -\n" +
      "\n" +
      "Passed over:\n" +
      "  slower: others were expected to answer sooner\n" +
      "  busy: all its places were taken; a faster engine or --concurrency makes more\n",
  );
  expect(coordinator.seen.at(-1)?.target).toBe(`/users/${USER}/earnings?days=7`);
});

it("asks for 30 days unless told otherwise, and refuses more than there are", async () => {
  const { run, coordinator } = await answering(EARNINGS);
  await run("earnings");
  expect(coordinator.seen.at(-1)?.target).toBe(`/users/${USER}/earnings?days=30`);
  const { exit, err } = await run("earnings", "--days", "41");
  expect(exit).toBe(EXIT.usage);
  expect(err).toContain("--days must be a whole number from 1 to 40");
});

it.each(["day", "model", "node"] as const)(
  "shows nothing but one view with --by %s",
  async (by) => {
    const { run } = await answering(EARNINGS);
    const { out } = await run("earnings", "--by", by, "--json");
    const { user_id, days, total, [`by_${by}` as const]: view } = EARNINGS;
    expect(JSON.parse(out)).toEqual({
      schema: "troop.earnings/1",
      user_id,
      days,
      total,
      [`by_${by}`]: view,
    });
    const heads = { day: "DAY (UTC)", model: "MODEL", node: "NODE" };
    const text = (await run("earnings", "--by", by)).out;
    for (const [name, head] of Object.entries(heads)) {
      expect(text.split("\n").some((line) => line.startsWith(head))).toBe(name === by);
    }
  },
);

it("refuses another view", async () => {
  const { run } = await answering(EARNINGS);
  const { exit, err } = await run("earnings", "--by", "week");
  expect(exit).toBe(EXIT.usage);
  expect(err).toContain("--by must be day, model or node");
});

it("says how to earn where nothing was served", async () => {
  const nothing: Earnings = {
    ...EARNINGS,
    days: 1,
    total: NONE,
    by_day: [],
    by_model: [],
    by_node: [],
  };
  const { run } = await answering(nothing);
  expect((await run("earnings", "--days", "1")).out).toBe(
    'Nothing was served in the last day. "troop worker" lends this machine\'s engine.\n',
  );
});
