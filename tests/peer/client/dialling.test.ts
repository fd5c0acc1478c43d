import { expect, it } from "vitest";
import { type ClientNetwork, clientNetwork, startClient } from "./client-under-test";
import type { FakeNode } from "./fake-node";

/** A node that is there, and that a coordinator names by another address. */
async function named(ranges: string[], url: (port: string) => string) {
  const network: ClientNetwork = await clientNetwork();
  network.ranges = ranges;
  const node: FakeNode = await network.addNode();
  network.nodes[0] = { ...node, url: url(new URL(node.url).port) };
  const client = await startClient(network);
  return { node, answer: await client.post() };
}

it.each([
  ["a host name, whatever it resolves to by then", "127.0.0.0/8", "http://localhost"],
  ["a host name that ends like an address", "127.0.0.0/8", "http://127.0.0.1.localhost"],
  ["an address outside", "10.0.0.0/8", "http://127.0.0.1"],
  ["IPv4 inside of IPv6 that is outside", "10.0.0.0/8", "http://[::ffff:127.0.0.1]"],
  ["IPv4 inside of IPv6, in a range of IPv6", "::/0", "http://[::ffff:7f00:1]"],
  ["loopback, in a range that is only wide", "0.0.0.0/0", "http://127.0.0.1"],
  ["every address", "0.0.0.0/0", "http://0.0.0.0"],
  ["a name and a password in front", "127.0.0.0/8", "http://a:b@127.0.0.1"],
])("does not dial %s, though the coordinator names it", async (_, range, host) => {
  const { node, answer } = await named([range], (port) => `${host}:${port}`);
  expect(answer.ok).toBe(false);
  expect(node.seen.all).toEqual([]);
});

it("dials an address within", async () => {
  const { node, answer } = await named(["127.0.0.0/8"], (port) => `http://127.0.0.1:${port}`);
  expect(await answer.json()).toEqual({ from: "node" });
  expect(node.seen.all).toHaveLength(1);
});
