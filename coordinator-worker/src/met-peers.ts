/** Peers that this isolate has seen to be registered. Whoever is not among them may be nobody, under a key made for one call. */
const met = new Set<string>();
const MOST_KEPT = 50_000;

export function meetPeer(peerId: string): void {
  if (met.size >= MOST_KEPT) met.clear();
  met.add(peerId);
}

export function hasMetPeer(peerId: string): boolean {
  return met.has(peerId);
}
