import { clientNetwork, startClient } from "./client-under-test";
import { type Behaviour } from "./fake-node";

export const GOOD: Behaviour = () => Response.json({ from: "the good one" });

/** A client with nodes that answer so. */
export async function startWith(patienceMs: number, ...answers: readonly Behaviour[]) {
  const network = await clientNetwork();
  for (const answer of answers) await network.addNode(answer);
  return { network, client: await startClient(network, { patienceMs }) };
}

/** A client that had an answer of its only node. */
export async function startWithKnownNode(patienceMs: number) {
  const { network, client } = await startWith(patienceMs, GOOD);
  await (await client.post()).text();
  const [node] = network.nodes;
  if (node === undefined) throw new Error("There is no node.");
  return { network, client, node };
}
