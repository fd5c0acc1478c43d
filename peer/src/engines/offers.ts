import { ModelOffer } from "#protocol/model-offer";

const MOST_MODELS = 1_000;

/** What an engine said of a model; nothing in it is trusted yet. */
export type RawOffer = { readonly [Field in keyof ModelOffer]: unknown };

/**
 * The offers among what an engine listed: a fact that doesn't fit the protocol is left out, a model
 * whose name doesn't fit is left out whole, and a name counts once.
 */
export function toOffers(raws: Iterable<RawOffer>): readonly ModelOffer[] {
  const offers = new Map<string, ModelOffer>();
  for (const raw of raws) {
    const offer = toOffer(raw);
    if (offer !== null && !offers.has(offer.id)) offers.set(offer.id, offer);
    if (offers.size === MOST_MODELS) break;
  }
  return [...offers.values()];
}

function toOffer(raw: RawOffer): ModelOffer | null {
  const known = Object.entries(raw).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  const first = ModelOffer.safeParse(Object.fromEntries(known));
  if (first.success) return first.data;
  const misfits = new Set(first.error.issues.map(({ path }) => path[0]));
  const second = ModelOffer.safeParse(
    Object.fromEntries(known.filter(([field]) => !misfits.has(field))),
  );
  return second.success ? second.data : null;
}
