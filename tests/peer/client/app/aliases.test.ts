import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { chatBody, clientNetwork, MODEL, modelList, startClient } from "../client-under-test";

const OWN = "gpt-4o-mini";
const OF_NETWORK = "gpt-4o";

/** A network that knows a name for its model, and a client that knows another. */
async function startWithAliases() {
  const network = await clientNetwork();
  const node = await network.addNode();
  const listed = modelList([MODEL]);
  const [model] = listed.data;
  if (model === undefined) throw new Error("There is no model.");
  const data = [model, { ...model, id: OF_NETWORK, alias_of: MODEL }];
  network.coordinator.answers["GET /v1/models"] = () => Response.json({ ...listed, data });
  const aliases = new Map([
    [OWN, MODEL],
    ["of nothing", "no/such:model"],
    [MODEL, "a name that is taken"],
  ]);
  return { network, node, client: await startClient(network, { aliases }) };
}

it.each([OWN, OF_NETWORK])(
  "asks for the model behind the name %s, and changes nothing else",
  async (name) => {
    const { network, node, client } = await startWithAliases();
    for (let times = 0; times < 2; times++) {
      const answer = await client.post({ body: chatBody({ model: name, note: `not "${name}"` }) });
      expect(await answer.json()).toEqual({ from: "node" });
    }
    const sent = Buffer.from(node.seen.all[1]?.body ?? []).toString();
    expect(sent).toBe(chatBody({ model: MODEL, note: `not "${name}"` }));
    expect(network.authorized).toMatchObject([{ model: MODEL }]);
  },
);

it("lists its names beside the models that stand behind them, and shows each", async () => {
  const { client } = await startWithAliases();
  const { data } = (await (await client.get("/v1/models")).json()) as {
    data: { id: string; alias_of?: string }[];
  };
  expect(data.map(({ id, alias_of }) => [id, alias_of])).toEqual([
    [MODEL, undefined],
    [OF_NETWORK, MODEL],
    [OWN, MODEL],
  ]);
  for (const id of [OWN, OF_NETWORK]) {
    expect(await (await client.get(`/v1/models/${id}`)).json()).toEqual(
      data.find((one) => one.id === id),
    );
  }
});

it("says so where the model behind a name is not offered, or the name is packed", async () => {
  const { client } = await startWithAliases();
  const missing = await client.post({ body: chatBody({ model: "of nothing" }) });
  expect(missing.status).toBe(404);
  expect(await missing.text()).toContain("no/such:model");
  const packed = await client.post({
    body: gzipSync(chatBody({ model: OWN })),
    headers: { "content-encoding": "gzip" },
  });
  expect(packed.status).toBe(400);
  expect(await packed.text()).toContain("packed body");
});
