import { createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { Problem } from "#protocol/problem";
import { startFront } from "#self-host/front";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

type Heard = { readonly socket: Socket; readonly text: string };

/** A front before a runtime that does as `hear` says with each whole request. */
async function frontBefore(hear: (heard: Heard, requests: string[]) => void) {
  const requests: string[] = [];
  let connections = 0;
  const runtime = createServer((socket) => {
    connections += 1;
    closers.push(() => socket.destroy());
    let text = "";
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      const [head = "", body = ""] = text.split("\r\n\r\n");
      const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
      if (!text.includes("\r\n\r\n") || body.length < length) return;
      const whole = text;
      text = "";
      requests.push(whole);
      hear({ socket, text: whole }, requests);
    });
  });
  await new Promise<void>((listening) => void runtime.listen(0, "127.0.0.1", listening));
  const address = runtime.address();
  if (address === null || typeof address === "string") throw new Error("It listens nowhere.");
  const url = new URL(`http://127.0.0.1:${address.port}`);
  const front = startFront({ host: "127.0.0.1", port: 0, runtime: { url } });
  closers.push(front.stop, () => runtime.close());
  return { url: front.url, requests, connections: () => connections };
}

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const post = (url: string, init: RequestInit = {}) =>
  fetch(`${url}/a?b=c`, { method: "POST", body: "{}", ...init });

it("sends a POST on as it is, but says itself from where it came and what is about the connection", async () => {
  const { url, requests } = await frontBefore(({ socket }) => socket.write(OK));
  const headers = {
    "x-name": "v\xe9",
    "cf-connecting-ip": "203.0.113.1",
    "mf-route-override": "x",
    "transfer-encoding": "chunked",
    te: "trailers",
    "proxy-connection": "keep-alive",
  };
  expect(await (await post(url, { headers, body: "\0\x01{}" })).text()).toBe("ok");
  const [head = "", body] = (requests[0] ?? "").split("\r\n\r\n");
  expect(body).toBe("\0\x01{}");
  const [line, ...lines] = head.split("\r\n");
  expect(line).toBe("POST /a?b=c HTTP/1.1");
  const named = new Map(lines.map((one) => one.split(": ") as [string, string]));
  expect(named.size).toBe(lines.length);
  expect(named.get("x-name")).toBe("v\xe9");
  expect(named.get("cf-connecting-ip")).toBe("127.0.0.1");
  expect(named.get("content-length")).toBe("4");
  for (const name of ["mf-route-override", "transfer-encoding", "te", "proxy-connection"]) {
    expect(named.has(name), name).toBe(false);
  }
});

it("gives the answer back whole, in pieces or not, each header as often as it came", async () => {
  const { url } = await frontBefore(({ socket }, requests) => {
    const head =
      "HTTP/1.1 201 Created\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nkeep-alive: timeout=5\r\n";
    if (requests.length === 1) socket.write(`${head}content-length: 5\r\n\r\nwhole`);
    else {
      socket.write(`${head}transfer-encoding: chunked\r\n\r\n3\r\nin \r\n`);
      setImmediate(() => socket.write("6\r\npieces\r\n0\r\n\r\n"));
    }
  });
  for (const text of ["whole", "in pieces"]) {
    const answer = await post(url);
    expect([answer.status, await answer.text()]).toEqual([201, text]);
    expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(answer.headers.get("keep-alive")).toBeNull();
  }
});

it("uses a connection to the runtime for one POST after the other", async () => {
  const { url, connections } = await frontBefore(({ socket }) => socket.write(OK));
  for (let turn = 0; turn < 5; turn += 1) await (await post(url)).text();
  expect(connections()).toBe(1);
});

it("sends no POST twice where the runtime ends the connection under it, and says so", async () => {
  const { url, requests } = await frontBefore(({ socket }, { length }) => {
    if (length === 2) socket.destroy();
    else socket.write(OK);
  });
  expect((await post(url)).status).toBe(200);
  const broken = await post(url);
  expect(broken.status).toBe(500);
  expect(Problem.parse(await broken.json()).code).toBe("internal");
  expect(requests).toHaveLength(2);
  expect((await post(url)).status).toBe(200);
});

it("answers an error where the runtime breaks off in the middle of its answer", async () => {
  const { url } = await frontBefore(({ socket }) =>
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\npart"),
  );
  expect((await post(url)).status).toBe(500);
});

it("leaves the runtime when its client has left", async () => {
  const leaving = new AbortController();
  const left = new Promise<void>((resolve) => {
    void frontBefore(({ socket }) => {
      socket.on("close", () => resolve());
      leaving.abort();
    }).then(({ url }) => post(url, { signal: leaving.signal }).catch(() => undefined));
  });
  await left;
});

it("lets nothing through to what a runtime for development serves beside the coordinator", async () => {
  const { url, requests } = await frontBefore(({ socket }) => socket.write(OK));
  for (const path of ["/cdn-cgi/handler/scheduled", "//cdn-cgi/mf/reload", "/a/../cdn-cgi/x"]) {
    for (const method of ["GET", "POST"]) {
      const answer = await fetch(url + path, { method });
      expect(answer.status).toBe(404);
      expect(Problem.parse(await answer.json()).code).toBe("not_found");
    }
  }
  expect(requests).toEqual([]);
});

it("asks nobody but the runtime, whatever host a path looks like", async () => {
  const { url, requests } = await frontBefore(({ socket }) => socket.write(OK));
  expect(await (await fetch(`${url}//other.example/x?y`)).text()).toBe("ok");
  expect(requests[0]).toMatch(/^GET \/other\.example\/x\?y HTTP/);
});
