/** One line of JSON. Takes names, codes and ids; never bodies, keys, tokens or messages of foreign errors. */
export function log(event: string, facts: Facts): void {
  console.log(JSON.stringify({ event, ...facts }));
}

/** The same, for what an operator has to look at. */
export function logError(event: string, facts: Facts): void {
  console.error(JSON.stringify({ event, ...facts }));
}

type Facts = Readonly<Record<string, string | number | undefined>>;
