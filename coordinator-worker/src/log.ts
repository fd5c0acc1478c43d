/** One line of JSON. Takes names, codes and ids; never bodies, keys, tokens or messages of foreign errors. */
export function log(event: string, facts: Record<string, string | number | undefined>): void {
  console.log(JSON.stringify({ event, ...facts }));
}
