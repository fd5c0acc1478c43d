// The least that a hop can cost in this runtime: passes requests to the URL that it is given and answers back.
const upstream = process.argv[2] ?? "";

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  fetch(request) {
    const target = request.url.slice(request.url.indexOf("/", "http://".length));
    return fetch(upstream + target, {
      method: request.method,
      headers: request.headers,
      body: request.body,
      decompress: false,
    });
  },
});
process.stdout.write(`A bare proxy listens on http://127.0.0.1:${server.port}\n`);
