/**
 * A coordinator's base URL in the one spelling that proofs name: no trailing slash, any path prefix kept.
 * `undefined` where the text is no http(s) URL, or carries a query, a fragment or a password.
 */
export function coordinatorBaseUrl(text: string): string | undefined {
  const url = URL.parse(text.trim());
  if (url === null) return undefined;
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  if (url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
    return undefined;
  }
  return url.origin + url.pathname.replace(/\/+$/, "");
}
