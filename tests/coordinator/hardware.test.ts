import { describe, expect, it } from "vitest";
import { Authorization } from "#protocol/authorize";
import { NodePage } from "#protocol/directory";
import { HeartbeatAnswer } from "#protocol/heartbeat";
import { Challenge, OPEN_WITHIN_MS, OpenAnswer } from "#protocol/hardware";
import { useCoordinator } from "#support/coordinator";
import {
  begin,
  codeOf,
  commitPasses,
  commitRows,
  type HardwareNode,
  newNode,
  passAll,
  pastLeast,
  textOf,
} from "./hardware-node";

const coordinator = useCoordinator();
const node = (): Promise<HardwareNode> => newNode(coordinator().url);

async function rateOfHeartbeat(sender: HardwareNode, model: string): Promise<number | undefined> {
  const models = [{ id: model, engine: "ollama" as const, state: "loaded" as const }];
  const answer = await sender.beat(sender.registration, { models });
  return HeartbeatAnswer.parse(await answer.json()).rate;
}

async function expectCooldown(sender: HardwareNode): Promise<void> {
  const refused = await sender.post("challenge", {});
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3_500);
  expect(await codeOf(refused)).toBe("429 hardware_cooldown");
  expect(await sender.standing()).toMatchObject({
    verified: false,
    multiplier: 0.25,
    basis: "cooldown",
  });
}

describe.concurrent("a proof of hardware", () => {
  it("makes the rate that the node is listed with, offered at and named in tickets with", async () => {
    const [sender, client] = await Promise.all([node(), node()]);
    expect(await sender.standing()).toEqual({
      version: 1,
      verified: false,
      multiplier: 1,
      basis: "unproven",
    });
    expect(await rateOfHeartbeat(sender, "poh/model")).toBe(1_000_000);

    const passed = await passAll(sender);
    // A thousand rows in three seconds are the least there is.
    expect(passed).toMatchObject({
      status: "passed",
      run_multiplier: 0.25,
      standing: { verified: true, multiplier: 0.25, basis: "proof" },
    });
    expect(await sender.standing()).toEqual(
      passed.status === "passed" ? passed.standing : undefined,
    );
    expect(await rateOfHeartbeat(sender, "poh/model")).toBe(250_000);
    const page = NodePage.parse(await (await client.call("/nodes?model=poh/model")).json());
    expect(page.nodes.map(({ rate }) => rate)).toEqual([250_000]);
    const granted = await client.call("/authorize", { body: { model: "poh/model" } });
    const { candidates } = Authorization.parse(await granted.json());
    expect(candidates.map(({ rate }) => rate)).toEqual([250_000]);
  });

  it("has times that end: three seconds at least, five to open, and no second try at once", async () => {
    const sender = await node();
    const { commitment } = await begin(sender);
    // However long these took to compute: what is bound here was ready when it was asked for.
    const { id } = Challenge.parse(await (await sender.post("challenge", {})).json());
    const early = await sender.post("commit", { ...commitment, id });
    expect(await codeOf(early)).toBe("422 hardware_refused");
    expect(await sender.standing()).toMatchObject({ basis: "unproven" });

    const again = await begin(sender);
    const { opening } = await commitRows(sender, again);
    await pastLeast(Date.now(), OPEN_WITHIN_MS);
    // Nothing was said yet, and it is the end of it all the same.
    expect(await sender.standing()).toMatchObject({ basis: "cooldown" });
    const late = await sender.post("verify", opening);
    expect(await codeOf(late)).toBe("422 hardware_refused");
    await expectCooldown(sender);
  });

  it("is over for a node that binds rows and does not open them", async () => {
    const sender = await node();
    await commitRows(sender, await begin(sender));
    expect(await codeOf(await sender.post("challenge", {}))).toBe("429 hardware_cooldown");
  });

  it("takes one commitment, one opening, each of its own run, and one run at a time", async () => {
    const [sender, other] = await Promise.all([node(), node()]);
    const replaced = await begin(sender);
    const run = await begin(sender);
    const unknown = "409 hardware_run_unknown";
    expect(await codeOf(await sender.post("commit", replaced.commitment))).toBe(unknown);
    expect(await codeOf(await other.post("commit", run.commitment))).toBe(unknown);

    const { opening } = await commitRows(sender, run);
    const second = { ...run.commitment, root: "A".repeat(43) };
    expect(await codeOf(await sender.post("commit", second))).toBe(unknown);
    expect(await codeOf(await other.post("verify", opening))).toBe(unknown);
    const all = await Promise.all(Array.from({ length: 4 }, () => sender.post("verify", opening)));
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409, 409, 409]);
  });

  it("is refused with wrong arithmetic, and the node cools down", async () => {
    const sender = await node();
    const halves = (row: Uint8Array) => row.map((value) => value >> 1);
    const run = await begin(sender, (rows) => rows.map(halves));
    const { opening } = await commitRows(sender, run);
    const answer = await sender.post("verify", opening);
    expect(await codeOf(answer)).toBe("422 hardware_refused");
    await expectCooldown(sender);
    expect(await rateOfHeartbeat(sender, "poh/cooling")).toBe(250_000);
  });

  it("is refused with what another node computed, for either of the two", async () => {
    const [honest, thief] = await Promise.all([node(), node()]);
    const theirs = await begin(honest);
    const run = await begin(thief, () => theirs.rows);
    expect(theirs.challenge.seed).toBe(run.challenge.seed);
    expect(theirs.challenge.nonce).not.toBe(run.challenge.nonce);
    const [{ opening }, own] = await Promise.all([
      commitRows(thief, run),
      commitRows(honest, theirs),
    ]);
    expect(await codeOf(await thief.post("verify", opening))).toBe("422 hardware_refused");
    await expectCooldown(thief);
    expect((await honest.post("verify", own.opening)).status).toBe(200);
  });

  it("is refused with rows that were made in advance", async () => {
    const sender = await node();
    const early = await begin(sender);
    const run = await begin(sender, () => early.rows);
    const { opening } = await commitRows(sender, run);
    expect(await codeOf(await sender.post("verify", opening))).toBe("422 hardware_refused");
    await expectCooldown(sender);
  });

  it("is refused with pages that were not read, though the rows were right", async () => {
    const sender = await node();
    const run = await begin(sender);
    const { opening } = await commitRows(sender, run);
    const goOn = OpenAnswer.parse(await (await sender.post("verify", opening)).json());
    const key = goOn.status === "continue" ? goOn.key : "";
    const { asked, id, made } = await commitPasses(sender, run, key);
    const { pages, ...opened } = textOf(made.open(asked.open));
    const body = { id, part: "memory", pages: "A".repeat(pages.length), ...opened };
    expect(await codeOf(await sender.post("verify", body))).toBe("422 hardware_refused");
    await expectCooldown(sender);
  });

  it("of a node that failed before counts no more: not before the cool-down, not by an older pass", async () => {
    const sender = await node();
    await passAll(sender);
    const run = await begin(sender, (rows) => rows.map((row) => new Uint8Array(row.length)));
    const { opening } = await commitRows(sender, run);
    await sender.post("verify", opening);
    await expectCooldown(sender);
  });

  it("needs this coordinator's enrolment, the node's own", async () => {
    const [sender, other] = await Promise.all([node(), node()]);
    for (const enrolment of [other.registration.enrolment, "a.b.c", ""]) {
      const headers = { "troop-enrolment": enrolment };
      const answer = await sender.call("/hardware/challenge", { body: {}, headers });
      expect(await codeOf(answer)).toBe("401 enrolment_invalid");
    }
  });

  it("refuses openings that are huge or no bytes by their shape, and the run goes on", async () => {
    const sender = await node();
    const run = await begin(sender);
    const { opening } = await commitRows(sender, run);
    const shapes = [
      { rows: `${opening.rows}AAAA` },
      { rows: "!" },
      { leaves: "AAAAA" },
      { path: "A".repeat(500_000) },
      { rows: [1, 2, 3] },
      { part: "both" },
      { id: "1" },
    ];
    for (const shape of shapes) {
      const answer = await sender.post("verify", { ...opening, ...shape });
      expect(await codeOf(answer)).toBe("400 request_invalid");
    }
    const huge = await sender.post("verify", { ...opening, path: "A".repeat(1_100_000) });
    expect(await codeOf(huge)).toBe("413 body_too_large");
    const commitments = [{ rows: 1_023 }, { rows: 2 ** 26 + 1 }, { rows: 1_024.5 }, { root: "A" }];
    for (const shape of commitments) {
      const answer = await sender.post("commit", { ...run.commitment, ...shape });
      expect(await codeOf(answer)).toBe("400 request_invalid");
    }
    // Opened in time or, on a slow machine, late: it is still there to be opened.
    expect((await sender.post("verify", opening)).status).not.toBe(409);
  });
});
