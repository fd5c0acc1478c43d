import { expect, it } from "vitest";
import { Problem } from "#protocol/problem";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";

const REGISTRATIONS = 5;
const coordinator = useCoordinator({
  REGISTRATIONS_PER_HOUR: String(REGISTRATIONS),
  PUBLIC_URL_ALIASES: "https://host.example/api",
});

it("counts registrations by the address they come from, whatever address the sender claims", async () => {
  const statuses: number[] = [];
  for (let turn = 0; turn < REGISTRATIONS + 2; turn++) {
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
