/**
 * A number with its noun: `1 credit`, `2 credits`, `0.5 credits`. `count` may be written already; what is written with a
 * fraction is more than one thing. `many`: the plural where it is not made by an s.
 */
export function counted(count: number | string, one: string, many: string = `${one}s`): string {
  return `${count} ${String(count) === "1" ? one : many}`;
}
