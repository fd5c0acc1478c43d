import type { AppContext } from "./app-env";

/** Whether a browser says that a page of this coordinator sent the request. */
export function isFromOwnPage(c: AppContext): boolean {
  const origin = c.req.header("origin");
  if (origin === undefined) return c.req.header("sec-fetch-site") === "same-origin";
  const { config } = c.get("deps");
  return config.audiences.some((url) => new URL(url).origin === origin);
}

/** Whether a browser says that a page of another site sent it; a program that is no browser says nothing. */
export function isFromForeignPage(c: AppContext): boolean {
  const isBrowser =
    c.req.header("origin") !== undefined || c.req.header("sec-fetch-site") !== undefined;
  return isBrowser && !isFromOwnPage(c);
}
