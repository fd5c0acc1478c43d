import { join } from "node:path";
import { expect, it } from "vitest";
import { createOutbox } from "#peer/outbox/outbox";
import { openOutboxFile } from "#peer/outbox/outbox-file";
import { setUp } from "./troop-under-test";

const UP = { "GET /health": () => Response.json({ status: "ok" }) };

function outbox(dir: string, owner: "worker" | "client") {
  return createOutbox<string, string>({
    file: openOutboxFile(dir, owner),
    coordinatorUrl: "https://troop.example",
  });
}

it("says nothing of receipts and acks where neither worker nor client ran", async () => {
  const { run } = await setUp(UP);
  const json = JSON.parse((await run("status", "--json")).out);
  expect(json).not.toHaveProperty("receipts");
  expect(json).not.toHaveProperty("acks");
  expect((await run("status")).out).not.toMatch(/^(receipts|acks)/m);
});

it("shows what waits and what was refused, while a worker and a client run", async () => {
  const { run, dir } = await setUp(UP);
  const receipts = outbox(dir, "worker");
  for (let each = 0; each < 3; each++) receipts.complete(receipts.open("t", "{}"), "{}");
  for (let each = 0; each < 2; each++) receipts.open("t", "{}");
  const [first, second] = receipts.unsent(3);
  receipts.refuse(
    [first, second].map((item, at) => ({
      id: item?.id ?? -1,
      code: ["receipt_too_late", "lease_unknown"][at] ?? "",
    })),
    Date.now(),
  );
  const acks = outbox(dir, "client");

  expect(JSON.parse((await run("status", "--json")).out)).toMatchObject({
    receipts: {
      waiting: 1,
      unfinished: 2,
      refused: [
        { code: "lease_unknown", count: 1 },
        { code: "receipt_too_late", count: 1 },
      ],
    },
    acks: { waiting: 0, unfinished: 0, refused: [] },
  });
  const { out } = await run("status");
  expect(out).toContain(
    "receipts     1 not sent yet; 2 for requests that have not ended; " +
      "2 refused in 30 days (lease_unknown 1, receipt_too_late 1)\n",
  );
  expect(out).toContain("acks         all sent\n");
  receipts.close();
  acks.close();
});

it("says so of a file that it cannot read", async () => {
  const { run, dir } = await setUp(UP);
  await Bun.write(join(dir, "worker-outbox.sqlite"), "no database".repeat(500));
  expect((await run("status")).out).toContain("receipts     their file cannot be read\n");
});
