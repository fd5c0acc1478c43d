import type { EngineKind, ModelOffer } from "#protocol/model-offer";
import type { DetectedEngine } from "./detect";

/** One engine and what it has. */
export type CatalogueSource = {
  readonly engine: DetectedEngine;
  readonly offers: readonly ModelOffer[];
  /** Ids of models that it will have in a moment. */
  readonly loading?: readonly string[];
};

/** Which engine serves a model, and where to send the request. */
export type ModelRoute = {
  readonly engine: DetectedEngine;
  readonly offer: ModelOffer;
};

export type Catalogue = {
  /** One per model, by id. */
  readonly offers: readonly ModelOffer[];
  /** Null: no engine here has that model. */
  resolve(modelId: string): ModelRoute | null;
  /** Models that an engine reads in and no other has. */
  readonly loading: readonly string[];
};

/** Who serves a model that several engines have: the one made for serving many comes first. */
const PREFERENCE: readonly EngineKind[] = ["vllm", "llamacpp", "ollama", "lmstudio", "openai"];

/** Puts the engines' models together; of two engines of one kind, the one listed first serves. */
export function buildCatalogue(sources: readonly CatalogueSource[]): Catalogue {
  const ranked = sources.toSorted((a, b) => rank(a) - rank(b));
  const routes = new Map<string, ModelRoute>();
  for (const { engine, offers } of ranked) {
    for (const offer of offers) {
      if (!routes.has(offer.id)) routes.set(offer.id, { engine, offer });
    }
  }
  const offers = [...routes.values()]
    .map((route) => route.offer)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const loading = sources.flatMap((source) => source.loading ?? []).filter((id) => !routes.has(id));
  return { offers, resolve: (modelId) => routes.get(modelId) ?? null, loading };
}

/** Whether anything differs that a client or the coordinator could notice. */
export function sameCatalogue(a: Catalogue, b: Catalogue): boolean {
  return (
    a.loading.join("\n") === b.loading.join("\n") &&
    a.offers.length === b.offers.length &&
    a.offers.every((offer, at) => {
      const other = b.offers[at];
      return (
        other !== undefined &&
        JSON.stringify(offer) === JSON.stringify(other) &&
        a.resolve(offer.id)?.engine.target.rootUrl === b.resolve(other.id)?.engine.target.rootUrl
      );
    })
  );
}

function rank({ engine }: CatalogueSource): number {
  return PREFERENCE.indexOf(engine.kind);
}
