import * as fc from "fast-check";
import { expect, it } from "vitest";
import { EngineKind, type ModelOffer } from "#protocol/model-offer";
import { buildCatalogue, type CatalogueSource, sameCatalogue } from "#peer/engines/catalogue";
import { DRIVERS } from "#peer/engines/drivers";

function source(kind: EngineKind, ids: readonly string[], port = 1): CatalogueSource {
  const driver = DRIVERS.find((each) => each.kind === kind);
  if (driver === undefined) throw new Error("no such driver");
  const rootUrl = `http://${kind}:${port}`;
  const offers = ids.map((id): ModelOffer => ({ id, engine: kind, state: "loaded" }));
  return { engine: { kind, driver, target: { rootUrl, apiBaseUrl: `${rootUrl}/v1` } }, offers };
}

it("lets vLLM serve before llama.cpp, Ollama, LM Studio and any other, in whatever order they came", () => {
  const order = ["vllm", "llamacpp", "ollama", "lmstudio", "openai"] as const;
  for (let first = 0; first < order.length; first += 1) {
    const kinds = order.slice(first).toReversed();
    const catalogue = buildCatalogue(kinds.map((kind) => source(kind, ["m"])));
    expect(catalogue.resolve("m")?.engine.kind).toBe(order[first]);
    expect(catalogue.offers).toEqual([{ id: "m", engine: order[first], state: "loaded" }]);
  }
});

it("lets the engine that was named first serve, of two of one kind", () => {
  const catalogue = buildCatalogue([source("vllm", ["m"], 1), source("vllm", ["m"], 2)]);
  expect(catalogue.resolve("m")?.engine.target.rootUrl).toBe("http://vllm:1");
});

it("knows no model that nobody has", () => {
  expect(buildCatalogue([source("vllm", ["m"])]).resolve("constructor")).toBeNull();
});

it("does not depend on the order of engines of different kinds", () => {
  const models = fc.array(fc.constantFrom("a", "b", "c", "d/e:f"), { maxLength: 4 });
  const sources = fc.tuple(
    ...EngineKind.options.map((kind) => models.map((ids) => source(kind, ids))),
  );
  fc.assert(
    fc.property(
      sources.chain((all) =>
        fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
      ),
      ([all, shuffled]) => {
        const catalogue = buildCatalogue(all);
        expect(sameCatalogue(catalogue, buildCatalogue(shuffled))).toBe(true);
        const ids = all.flatMap(({ offers }) => offers.map(({ id }) => id));
        expect(catalogue.offers.map(({ id }) => id)).toEqual([...new Set(ids)].toSorted());
        for (const id of ids) expect(catalogue.resolve(id)?.offer.id).toBe(id);
      },
    ),
  );
});

it("notices a change of a fact, of the engine that serves, and of nothing else", () => {
  const before = buildCatalogue([source("ollama", ["a", "b"])]);
  const cold: ModelOffer = { id: "a", engine: "ollama", state: "cold" };
  const [first, ...rest] = source("ollama", ["a", "b"]).offers;
  expect(first).toBeDefined();
  expect(sameCatalogue(before, buildCatalogue([source("ollama", ["b", "a"])]))).toBe(true);
  expect(
    sameCatalogue(before, buildCatalogue([{ ...source("ollama", []), offers: [cold, ...rest] }])),
  ).toBe(false);
  expect(sameCatalogue(before, buildCatalogue([source("ollama", ["a", "b"], 2)]))).toBe(false);
  expect(sameCatalogue(before, buildCatalogue([source("ollama", ["a"])]))).toBe(false);
});
