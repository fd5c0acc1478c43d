/**
 * Takes the path of PUBLIC_URL off a request, where a proxy in front left it on: routes and proofs speak of the
 * path below it.
 */
export function stripPrefix(
  request: Request<unknown, IncomingRequestCfProperties>,
  env: object,
): Request<unknown, IncomingRequestCfProperties> {
  const publicUrl = "PUBLIC_URL" in env ? env.PUBLIC_URL : undefined;
  if (typeof publicUrl !== "string" || !URL.canParse(publicUrl)) return request;
  const prefix = new URL(publicUrl).pathname.replace(/\/+$/, "");
  const url = new URL(request.url);
  if (prefix === "" || !url.pathname.startsWith(`${prefix}/`)) return request;
  url.pathname = url.pathname.slice(prefix.length);
  return new Request(url, request);
}
