/**
 * Takes the path of PUBLIC_URL off a request, where a proxy in front left it on: routes and proofs speak of the
 * path below it.
 */
export function stripPrefix(
  request: Request<unknown, IncomingRequestCfProperties>,
  env: object,
): Request<unknown, IncomingRequestCfProperties> {
  const prefix = prefixOf("PUBLIC_URL" in env ? env.PUBLIC_URL : undefined);
  if (prefix === "") return request;
  const url = new URL(request.url);
  if (!url.pathname.startsWith(`${prefix}/`)) return request;
  url.pathname = url.pathname.slice(prefix.length);
  return new Request(url, request);
}

let known = { publicUrl: undefined as unknown, prefix: "" };

/** Without a slash at the end; read once, since every request asks. */
function prefixOf(publicUrl: unknown): string {
  if (known.publicUrl !== publicUrl) {
    const isUrl = typeof publicUrl === "string" && URL.canParse(publicUrl);
    known = { publicUrl, prefix: isUrl ? new URL(publicUrl).pathname.replace(/\/+$/, "") : "" };
  }
  return known.prefix;
}
