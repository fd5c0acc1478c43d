import { expect, it } from "vitest";
import { parseConfig } from "#coordinator/config";
import { ModelList } from "#protocol/directory";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";

const MODEL = "alias/target";
const coordinator = useCoordinator({
  MODEL_ALIASES: ` gpt-4o-mini = ${MODEL}, of-nothing=no/such `,
});

it("lists the operator's names for models of the public network that are there", async () => {
  const node = await newPeer(coordinator().url);
  await node.beat(await node.register(), {
    models: [{ id: MODEL, engine: "ollama", state: "loaded" }],
  });
  const { data } = ModelList.parse(await (await node.call("/v1/models")).json());
  const shown = data.filter(({ id }) => ["gpt-4o-mini", "of-nothing"].includes(id));
  const model = data.find(({ id }) => id === MODEL);
  expect(shown).toEqual([{ ...model, id: "gpt-4o-mini", alias_of: MODEL }]);
});

it.each(["a", "a=b,c", "=b", "a="])("refuses to start with the alias %j", (text) => {
  expect(() => parseConfig({ MODEL_ALIASES: text })).toThrow(/MODEL_ALIASES: must be NAME=MODEL/);
});
