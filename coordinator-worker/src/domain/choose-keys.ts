/** A signing key, and from when on it signs; the first ones, from the settings, since ever. */
export type TimedKey = { readonly kid: string; readonly signsFromMs: number };

export type ChosenKeys<Key> = {
  readonly signer: Key;
  /** For everybody to see: the signer, those that will sign, and those whose tickets may still be out. */
  readonly published: readonly Key[];
};

/** A key that signs no more is shown for so long: nobody is handed a ticket that lives longer. */
const SHOWN_AFTER_MS = 24 * 60 * 60 * 1_000;
/** Keys in the JWKS; the protocol's bound. */
const MOST_PUBLISHED = 16;

/** Of several from the same moment the one that comes first in the list signs. Undefined where there is no key. */
export function chooseKeys<Key extends TimedKey>(
  keys: readonly Key[],
  nowMs: number,
): ChosenKeys<Key> | undefined {
  // The settings' keys are of minus infinity, whose difference is no number.
  const newestFirst = keys.toSorted((a, b) =>
    a.signsFromMs === b.signsFromMs ? 0 : b.signsFromMs > a.signsFromMs ? 1 : -1,
  );
  const signer = newestFirst.find((key) => key.signsFromMs <= nowMs);
  if (signer === undefined) return undefined;
  const isShown = (key: Key): boolean => {
    const successor = newestFirst.findLast((one) => one.signsFromMs > key.signsFromMs);
    return successor === undefined || successor.signsFromMs > nowMs - SHOWN_AFTER_MS;
  };
  const others = newestFirst.filter((key) => key !== signer && isShown(key));
  return { signer, published: [signer, ...others].slice(0, MOST_PUBLISHED) };
}
