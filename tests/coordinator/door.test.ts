import { connect } from "node:net";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { NodePage } from "#protocol/directory";
import { Problem } from "#protocol/problem";
import type { Registration } from "#protocol/register";
import { useCoordinator } from "#support/coordinator";
import { newPeer, type TestPeer } from "#support/test-peer";

/** One of them is the node that the other tests use. */
const REGISTRATIONS = 6;
const coordinator = useCoordinator({
  REGISTRATIONS_PER_HOUR: String(REGISTRATIONS),
  PUBLIC_URL_ALIASES: "https://host.example/api",
});

let node: { peer: TestPeer; registration: Registration };
beforeAll(async () => {
  const peer = await newPeer(coordinator().url);
  node = { peer, registration: await peer.register() };
});

it("counts registrations by the address they come from, whatever address the sender claims", async () => {
  const statuses: number[] = [];
  for (let turn = 0; turn < REGISTRATIONS + 1; turn++) {
    const peer = await newPeer(coordinator().url);
    const headers = {
      "cf-connecting-ip": `198.51.100.${turn}`,
      "x-forwarded-for": `198.51.100.${turn}`,
    };
    const answer = await peer.call("/register", { body: {}, headers });
    statuses.push(answer.status);
    if (answer.status !== 429) continue;
    expect(Problem.parse(await answer.json()).code).toBe("rate_limited");
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(answer.headers.get("ratelimit-policy")).toContain(
      `"register";q=${REGISTRATIONS};w=3600`,
    );
  }
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
});

it("lists no node that advertises an address outside the allowed ranges, or a name", async () => {
  for (const url of ["http://169.254.169.254:8080", "http://8.8.8.8:8080", "http://[::1]:1"]) {
    const answer = await node.peer.beat(node.registration, { urls: ["http://127.0.0.1:1", url] });
    expect(Problem.parse(await answer.json())).toMatchObject({
      code: "address_not_allowed",
      fields: ["urls"],
    });
  }
  const named = await node.peer.beat(node.registration, { urls: ["http://localhost:8080"] });
  expect(Problem.parse(await named.json()).code).toBe("request_invalid");
  const { nodes } = NodePage.parse(await (await node.peer.call("/nodes")).json());
  expect(nodes.map((one) => one.node_id)).not.toContain(node.peer.identity.peerId);
});

it("takes a heartbeat only with an enrolment of its own, by this coordinator", async () => {
  const other = await newPeer(coordinator().url);
  for (const enrolment of [node.registration.enrolment, "x.y.z", ""]) {
    const answer = await other.beat({ ...node.registration, enrolment });
    expect(Problem.parse(await answer.json()).code).toBe("enrolment_invalid");
  }
});

it("never passes a request on to another host, however its path is written", async () => {
  const elsewhere = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => new Response("secret"),
  });
  onTestFinished(() => elsewhere.stop(true));
  const { hostname, port } = new URL(coordinator().url);
  for (const path of [
    `//127.0.0.1:${elsewhere.port}/x`,
    `///127.0.0.1:${elsewhere.port}/x`,
    "//cdn-cgi/x",
  ]) {
    const text = await raw(hostname, Number(port), `GET ${path} HTTP/1.1`);
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(text).not.toContain("secret");
  }
});

it("refuses a body beyond any limit in JSON", async () => {
  const { hostname, port } = new URL(coordinator().url);
  const head = `POST /authorize HTTP/1.1\r\ncontent-length: ${2 ** 40}`;
  const text = await raw(hostname, Number(port), head);
  expect(text).toMatch(/^HTTP\/1\.1 413 /);
  expect(text).toContain("body_too_large");
});

/** What a server answers to a request line as it stands, which no client library would send. */
function raw(host: string, port: number, head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.write(`${head}\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    });
    let text = "";
    socket.on("data", (data) => (text += data.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

it("hides the development handlers of the runtime it uses", async () => {
  for (const path of ["/cdn-cgi/handler/scheduled", "/cdn-cgi/mf/scheduled"]) {
    expect((await fetch(coordinator().url + path)).status).toBe(404);
  }
});

it("takes a proof made for any of its own URLs, and for no other", async () => {
  const peer = await newPeer(coordinator().url);
  const known = await peer.call("/v1/models", { proof: { audience: "https://host.example/api" } });
  expect(known.status).toBe(200);
  const strange = await peer.call("/v1/models", { proof: { audience: "https://host.example" } });
  expect(Problem.parse(await strange.json()).code).toBe("proof_invalid");
});

it("names the key that signs now as PEM and in the JWKS", async () => {
  const pem = await (await fetch(`${coordinator().url}/public-key`)).text();
  expect(pem).toMatch(/^-----BEGIN PUBLIC KEY-----/);
  const jwks = await fetch(`${coordinator().url}/.well-known/jwks.json`);
  expect(await jwks.json()).toMatchObject({ keys: [{ kty: "OKP", crv: "Ed25519", alg: "EdDSA" }] });
});

it("lets no more registrations through than the window holds, however many arrive at once", async () => {
  // The window of this file is full by now: nothing more gets in, together or one by one.
  const peers = await Promise.all(Array.from({ length: 20 }, () => newPeer(coordinator().url)));
  const answers = await Promise.all(peers.map((peer) => peer.call("/register", { body: {} })));
  expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 20 }, () => 429));
});
