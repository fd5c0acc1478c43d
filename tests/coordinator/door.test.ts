import { beforeAll, expect, it } from "vitest";
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
    expect(answer.headers.get("ratelimit-policy")).toBe(`"register";q=${REGISTRATIONS};w=3600`);
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
  const { nodes } = (await (await node.peer.call("/nodes")).json()) as { nodes: unknown[] };
  expect(nodes).toEqual([]);
});

it("takes a heartbeat only with an enrolment of its own, by this coordinator", async () => {
  const other = await newPeer(coordinator().url);
  for (const enrolment of [node.registration.enrolment, "x.y.z", ""]) {
    const answer = await other.beat({ ...node.registration, enrolment });
    expect(Problem.parse(await answer.json()).code).toBe("enrolment_invalid");
  }
});

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
