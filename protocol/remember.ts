/**
 * Keeps a value until the process or isolate ends, or until it holds `most` of them: then all are forgotten, which is cheap
 * and fair to what is asked for often. Only for what can be learned again.
 */
export function remember<Key, Value>(
  map: Map<Key, Value>,
  most: number,
  key: Key,
  value: Value,
): void {
  if (map.size >= most) map.clear();
  map.set(key, value);
}
