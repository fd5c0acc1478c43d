import type { ModelScan } from "./model-scan";

/** A part's headers, or a model's name, that are longer are none. */
const MOST_KEPT = 4_096;
const HEADERS_END = "\r\n\r\n";
const IS_MODEL = /^content-disposition:[^\r\n]*;\s*name="?model"?\s*(?:;|$)/im;

/** Finds the form field `model` while the body passes: it may come behind a file of any size. */
export function createMultipartModelScan(boundary: string): ModelScan {
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  // The first delimiter has no line before it.
  let rest = Buffer.from("\r\n", "latin1");
  let place: "content" | "headers" | "model" = "content";
  let model: string | undefined;

  /** Takes what is whole; `false` when more bytes are needed. */
  function step(): boolean {
    if (place === "headers") {
      const end = rest.indexOf(HEADERS_END);
      if (end === -1) {
        if (rest.length > MOST_KEPT) place = "content";
        return rest.length > MOST_KEPT;
      }
      place = IS_MODEL.test(rest.toString("latin1", 0, end)) ? "model" : "content";
      // The empty line's first half stays: a part without content has its delimiter there.
      rest = rest.subarray(end + 2);
      return true;
    }
    const at = rest.indexOf(delimiter);
    if (at === -1) {
      if (place === "model" && rest.length <= MOST_KEPT) return false;
      place = "content";
      // What may be the delimiter's beginning is all that has to be kept.
      rest = rest.subarray(Math.max(0, rest.length - delimiter.length + 1));
      return false;
    }
    if (place === "model") model = rest.toString("utf8", 2, Math.max(2, at));
    rest = rest.subarray(at + delimiter.length);
    place = "headers";
    return true;
  }

  return {
    feed(chunk) {
      rest = Buffer.concat([rest, chunk]);
      let goesOn = true;
      while (goesOn) goesOn = step();
    },
    model: () => model,
    isAmbiguous: () => false,
  };
}
