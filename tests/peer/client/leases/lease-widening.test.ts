import { expect, it } from "vitest";
import { CREDIT, leasesUnderTest, NODES } from "../leases-under-test";

it("takes a second lease, a small one for other nodes, where those of the first have much to do", async () => {
  let isCrowded = false;
  const crowds: string[][] = [];
  const { state, leases, asked, pass } = leasesUnderTest({
    isCrowded(nodes) {
      crowds.push(nodes.map(({ node_id }) => node_id));
      return isCrowded;
    },
  });
  const lease = await leases.get("m");
  await pass(1);
  expect(asked).toHaveLength(1);
  isCrowded = true;
  state.nodes = [...NODES, "d".repeat(43)];
  await pass(1);
  expect(asked[1]).toEqual({ model: "m", exclude: NODES, budget: 15 * CREDIT });
  expect(await leases.get("m")).toBe(lease);
  expect(leases.places(lease).map(({ node }) => node.node_id)).toEqual(state.nodes);
  // There are no more, which it does not ask again and again.
  await pass(64);
  expect(asked).toHaveLength(3);
  expect(crowds.at(-1)).toEqual(state.nodes);
  await pass(1);
  expect(asked).toHaveLength(4);
});

it("takes no second lease where the user has chosen the nodes", async () => {
  const only = [NODES[0] ?? ""];
  const { leases, asked, pass } = leasesUnderTest({ only, isCrowded: () => true });
  await leases.get("m");
  await pass(10);
  expect(asked).toEqual([{ model: "m", only }]);
});
