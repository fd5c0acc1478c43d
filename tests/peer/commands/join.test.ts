import { expect, it } from "vitest";
import { EXIT } from "#peer/cli/error";
import { DEFAULT_POLICY, type Network } from "#protocol/network";
import { setUp } from "./troop-under-test";

const CODE = "0".repeat(26);

async function join(role: Network["role"]) {
  const network: Network = {
    id: `net-${CODE}`,
    name: "meta-llama",
    role,
    policy: DEFAULT_POLICY,
    members: 2,
    created_at: "2030-01-01T00:00:00.000Z",
  };
  const { run } = await setUp({ "POST /invites/accept": () => Response.json(network) });
  const { exit, out, err } = await run("join", CODE);
  expect({ exit, err }).toEqual({ exit: EXIT.ok, err: "" });
  return out;
}

it.each(["owner", "member", "use-only"] as const)(
  "tells a %s which models' names are the network's from then on: it could be called like anybody's",
  async (role) => {
    expect(await join(role)).toContain("models whose names begin with meta-llama/");
  },
);

it("tells who only lends nothing of how models are called", async () => {
  const out = await join("serve-only");
  expect(out).toContain("troop worker --network meta-llama");
  expect(out).not.toContain("meta-llama/");
});
