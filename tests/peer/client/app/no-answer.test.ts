import { expect, it } from "vitest";
import { openLease, type Place } from "#peer/client/leases/lease";
import { allBusy, noneReachable, notOfTheChosen } from "#peer/client/app/no-answer";
import { MODEL } from "../client-under-test";

const OVERLAY = "http://100.64.0.7:8080";
const ELSEWHERE = "http://127.0.0.1:8080";
const here = { hasChosenNodes: false, overlayAddress: () => "100.64.0.1" };

function placesAt(...urls: readonly string[]): readonly Place[] {
  const candidates = urls.map((url, at) => ({
    node_id: String(at).repeat(43),
    urls: [url],
    e2e_key: "a.b.c",
    engine: "vllm" as const,
    rate: 1,
    own: false,
    expected_ms: 0,
  }));
  const lease_id = crypto.randomUUID();
  const granted = { ticket: "t", lease_id, network: "public", model: MODEL, budget: 1 };
  return openLease(MODEL, { ...granted, expires_at: 1, candidates }, Date.now).places;
}

async function told(answer: Response): Promise<string> {
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  return `${answer.status} ${error.code} ${answer.headers.get("retry-after")}: ${error.message}`;
}

it("says when to come back where all nodes are busy", async () => {
  expect(await told(allBusy(MODEL, 3, 6_100))).toBe(
    `503 node_busy 7: All 3 nodes that were asked for ${MODEL} are busy. Try again in 7 s, or use another model; ` +
      "`troop nodes` shows how much each has to do.",
  );
  expect(allBusy(MODEL, 3, 0).headers.get("retry-after")).toBe("1");
});

it("says that the overlay is down where the nodes are in it and this machine is not", async () => {
  const down = { hasChosenNodes: false, overlayAddress: () => undefined };
  expect(await told(noneReachable(MODEL, placesAt(OVERLAY, OVERLAY), down))).toBe(
    `503 node_unreachable 2: None of the 2 nodes for ${MODEL} can be reached from here, and this machine has no ` +
      "Tailscale address. Start Tailscale (`tailscale up`), then try again.",
  );
  for (const [places, around] of [
    [placesAt(OVERLAY), here],
    [placesAt(OVERLAY, ELSEWHERE), down],
    [[], down],
  ] as const) {
    expect(await told(noneReachable(MODEL, places, around))).not.toContain("Tailscale");
  }
});

it("says which nodes it was that the user chose", async () => {
  const chosen = { ...here, hasChosenNodes: true };
  expect(await told(noneReachable(MODEL, placesAt(OVERLAY), chosen))).toContain(
    "The node named with --only can't be reached from here. Try again in a moment",
  );
  expect(await told(notOfTheChosen(MODEL))).toMatch(
    /^404 model_not_found null: No node named with --only/,
  );
});
