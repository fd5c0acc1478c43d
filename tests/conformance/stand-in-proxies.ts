import type { Server } from "bun";

export type StandInProxy = { readonly url: string; readonly stop: () => Promise<void> };

type Change = (answer: Response) => Response | Promise<Response>;

/** Headers of Bun's `fetch` answer that no longer hold once the body was changed. */
function withBody(answer: Response, body: BodyInit | null): Response {
  const headers = new Headers(answer.headers);
  headers.delete("content-length");
  return new Response(body, { status: answer.status, headers });
}

async function rewritten(answer: Response, change: (text: string) => string): Promise<Response> {
  return withBody(answer, change(await answer.text()));
}

function rewrittenAsItComes(answer: Response, change: (text: string) => string): Response {
  const decoder = new TextDecoderStream();
  const changer = new TransformStream<string, string>({
    transform: (text, controller) => controller.enqueue(change(text)),
  });
  const body = answer.body?.pipeThrough(decoder).pipeThrough(changer);
  return withBody(answer, body?.pipeThrough(new TextEncoderStream()) ?? null);
}

function withHeader(answer: Response, name: string, value: string): Response {
  const headers = new Headers(answer.headers);
  headers.set(name, value);
  return new Response(answer.body, { status: answer.status, headers });
}

/** What proxies are known to do wrong, one fault each. */
export const WRONG_ANSWERS: Readonly<Record<string, Change>> = {
  "drops a field it does not know": (answer) =>
    rewritten(answer, (text) => text.replace(/,"timings":\{[^}]*\}/, "")),
  "writes JSON anew": (answer) =>
    rewritten(answer, (text) =>
      text.replace(/^(data: )?(\{.*\})$/gm, (_, label: string = "", json: string) => {
        return label + JSON.stringify(JSON.parse(json), null, 1).replaceAll("\n", "");
      }),
    ),
  "sorts keys": (answer) =>
    rewritten(answer, (text) => text.replace(/("object":"[a-z._]+"),("usage":\{.*?\}\})/, "$2,$1")),
  "swallows the end mark": (answer) =>
    rewritten(answer, (text) => text.replace("data: [DONE]\n\n", "")),
  "merges two events": (answer) =>
    rewritten(answer, (text) => text.replace("}\n\ndata: {", "}\ndata: {")),
  "ends lines with CRLF": (answer) =>
    rewritten(answer, (text) => text.replaceAll("\n\n", "\r\n\r\n")),
  "adds a comment": (answer) => rewrittenAsItComes(answer, (text) => `: hello\n\n${text}`),
  "changes the id half-way": (answer) => {
    let count = 0;
    return rewrittenAsItComes(answer, (text) =>
      text.replace(/chatcmpl-(.)/g, (id: string) => (count++ > 0 ? "chatcmpl-Z" : id)),
    );
  },
  "replaces characters that it split": (answer) =>
    rewritten(answer, (text) => text.replace(/[^\x20-\x7e\n]/, "\ufffd")),
  "leaves out the content type's charset": (answer) =>
    withHeader(
      answer,
      "content-type",
      (answer.headers.get("content-type") ?? "").split(";")[0] ?? "",
    ),
  "drops the engine's headers": (answer) => {
    const type = answer.headers.get("content-type") ?? "";
    return new Response(answer.body, { status: answer.status, headers: { "content-type": type } });
  },
  "adds a header": (answer) => withHeader(answer, "x-powered-by", "something"),
  "turns errors into 500": (answer) =>
    answer.ok ? answer : new Response(answer.body, { status: 500, headers: answer.headers }),
  "ends half-way as if that were all": (answer) =>
    rewritten(answer, (text) => text.slice(0, text.length / 2)),
};

/** A proxy that does nothing wrong, or one thing. */
export function startStandInProxy(
  engineUrl: string,
  change: Change = (answer) => answer,
): StandInProxy {
  const server: Server<undefined> = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    maxRequestBodySize: 2 ** 30,
    fetch: async (request, bunServer) => {
      bunServer.timeout(request, 0);
      const { pathname, search } = new URL(request.url);
      const answer = await fetch(engineUrl + pathname + search, {
        method: request.method,
        headers: forwardable(request.headers),
        body: request.body,
        signal: request.signal,
        decompress: false,
        redirect: "manual",
      });
      return change(answer);
    },
  });
  return { url: server.url.origin, stop: () => server.stop(true) };
}

function forwardable(headers: Headers): Headers {
  const result = new Headers(headers);
  for (const name of ["host", "connection", "expect"]) result.delete(name);
  return result;
}

/** Waits for the whole answer before it passes it on. */
export const BUFFERING: Change = async (answer) => withBody(answer, await answer.bytes());
