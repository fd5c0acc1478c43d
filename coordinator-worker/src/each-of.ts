/** One after the other; what fails keeps none of the others from being done. Throws the first failure at the end. */
export async function eachOf(parts: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts) await part().catch((cause: unknown) => failures.push(cause));
  if (failures.length > 0) throw failures[0];
}
