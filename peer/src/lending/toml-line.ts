/**
 * Line, from 1, on which a key stands: `["policy"]`, or `["schedule", "windows"]` in its table, however that is written; of a
 * list the line of the `entry`, from 0.
 */
export function lineOf(
  text: string,
  keys: readonly string[],
  entry: number = 0,
): number | undefined {
  const line = lineOfKey(text, keys);
  return line === undefined ? undefined : line + linesToEntry(text, line, entry);
}

function lineOfKey(text: string, keys: readonly string[]): number | undefined {
  let table = "";
  let tableLine: number | undefined;
  for (const [at, line] of text.split("\n").entries()) {
    const header = /^\s*\[+\s*"?([\w-]+)"?\s*\]+/.exec(line)?.[1];
    if (header !== undefined) {
      table = header;
      if (keys[0] === header) tableLine = at + 1;
      if (keys.length === 1 && keys[0] === header) return at + 1;
      continue;
    }
    const key = /^\s*"?([\w-]+)"?\s*(?:\.\s*"?([\w-]+)"?\s*)?=/.exec(line);
    if (key === null) continue;
    const path = [
      ...(table === "" ? [] : [table]),
      ...key.slice(1).filter((part) => part !== undefined),
    ];
    const isInline = path.length === 1 && keys.length > 1 && path[0] === keys[0];
    if (isInline || path.join(".") === keys.join(".")) return at + 1;
  }
  return tableLine;
}

/** Text in quotes, with what is escaped in it; a comment; what begins, parts or ends lists; anything else that is written. */
const TOKEN = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#.*|[[\],\n]|[^\s[\],"'#]+/g;

/** How far below its list's line an entry stands, before which there are no lists in the list. What is no list has none. */
function linesToEntry(text: string, line: number, entry: number): number {
  const rest = text
    .split("\n")
    .slice(line - 1)
    .join("\n");
  const list = rest.slice(rest.indexOf("[", rest.indexOf("=")));
  let lines = 0;
  let commas = 0;
  for (const [token] of list.matchAll(TOKEN)) {
    if (token === "]") return 0;
    if (token === "\n") lines += 1;
    else if (token === ",") commas += 1;
    else if (token !== "[" && !token.startsWith("#") && commas === entry) return lines;
  }
  return 0;
}
