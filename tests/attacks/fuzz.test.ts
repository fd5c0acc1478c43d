import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { namedModel } from "#peer/client/app/named-model";
import { AckClaims } from "#protocol/ack";
import {
  GrantRequest,
  RotationRequest,
  SignupInviteRequest,
  SuspensionRequest,
} from "#protocol/admin";
import { Authorization, AuthorizeRequest, ExtendRequest } from "#protocol/authorize";
import {
  DeviceCode,
  DeviceDecision,
  DeviceLink,
  DeviceRequest,
  DeviceTokenRequest,
} from "#protocol/device";
import { ModelList, NodePage } from "#protocol/directory";
import { EnrolmentClaims } from "#protocol/enrolment";
import { Heartbeat, HeartbeatAnswer } from "#protocol/heartbeat";
import { readHeader, readPayload } from "#protocol/jws";
import {
  AcceptInviteRequest,
  CreateNetworkRequest,
  InviteList,
  InviteRequest,
  MemberList,
  NetworkList,
  NewInvite,
  PolicyChange,
  RoleChange,
} from "#protocol/network";
import { LeaveRequest } from "#protocol/own-data";
import { LoginRequest, PersonRequest, Session } from "#protocol/person";
import { Problem } from "#protocol/problem";
import { EMPTY_BODY_HASH, ProofClaims, verifyProof } from "#protocol/proof";
import { ReceiptClaims } from "#protocol/receipt";
import { Jwks, RegisterRequest, Registration } from "#protocol/register";
import { SealedAnswerHead, SealedRequestHead } from "#protocol/sealed-message";
import { SubmitAnswer, SubmitRequest } from "#protocol/submit";
import { TicketClaims } from "#protocol/ticket";
import { useCoordinator } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { goodProof, newKey, sign } from "./tokens";
import { LIMIT_MS, RUNS, text, token } from "./fuzz";

/** With one at a time through processes, so many fewer of these. */
const SLOW_RUNS = Math.ceil(RUNS / 10);

const json = fc.jsonValue({ stringUnit: "binary" });

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  AcceptInviteRequest,
  AckClaims,
  Authorization,
  AuthorizeRequest,
  CreateNetworkRequest,
  DeviceCode,
  DeviceDecision,
  DeviceLink,
  DeviceRequest,
  DeviceTokenRequest,
  EnrolmentClaims,
  ExtendRequest,
  GrantRequest,
  Heartbeat,
  HeartbeatAnswer,
  InviteList,
  InviteRequest,
  Jwks,
  LeaveRequest,
  LoginRequest,
  MemberList,
  ModelList,
  NetworkList,
  NewInvite,
  NodePage,
  PersonRequest,
  PolicyChange,
  Problem,
  ProofClaims,
  ReceiptClaims,
  RegisterRequest,
  Registration,
  RoleChange,
  RotationRequest,
  SealedAnswerHead,
  SealedRequestHead,
  Session,
  SignupInviteRequest,
  SubmitAnswer,
  SubmitRequest,
  SuspensionRequest,
  TicketClaims,
};

describe("whatever comes from the network", () => {
  it.each(Object.entries(SCHEMAS))(
    "%s is judged and throws nothing",
    (_name, schema) => {
      const fields = "shape" in schema ? Object.keys(schema.shape as object) : [];
      const record = fc.dictionary(fc.constantFrom(...fields, "x"), fc.oneof(json, text), {
        maxKeys: 12,
      });
      fc.assert(
        fc.property(fc.oneof(json, text, record, fc.anything()), (value) => {
          expect(schema.safeParse(value).success).toBeTypeOf("boolean");
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    "a token is refused, and nothing of it is said",
    async () => {
      const request = { audience: "https://c.example", method: "GET", target: "/" };
      await fc.assert(
        fc.asyncProperty(fc.oneof(text, token), async (proof) => {
          const verified = await verifyProof(
            proof,
            { ...request, bodyHash: EMPTY_BODY_HASH },
            Date.now(),
          );
          expect(verified.ok).toBe(false);
          expect(readHeader(proof, ProofClaims)).toBeUndefined();
          expect(readPayload(proof, ProofClaims)).toBeUndefined();
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    "a proof with one byte changed is no proof",
    async () => {
      const request = { audience: "https://c.example", method: "GET", target: "/" };
      const good = sign(goodProof(newKey(), request));
      const expected = { ...request, bodyHash: EMPTY_BODY_HASH };
      expect((await verifyProof(good, expected, Date.now())).ok).toBe(true);
      const place = fc.nat({ max: good.length - 1 });
      await fc.assert(
        fc.asyncProperty(place, fc.integer({ min: 1, max: 127 }), async (at, flip) => {
          const changed = String.fromCharCode(good.charCodeAt(at) ^ flip);
          const bent = good.slice(0, at) + changed + good.slice(at + 1);
          expect((await verifyProof(bent, expected, Date.now())).ok).toBe(false);
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    "an app's body names a model or none",
    async () => {
      const types = fc.constantFrom(
        "application/json",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "text/plain",
      );
      const body = fc.oneof(
        text,
        json.map((value) => JSON.stringify({ model: value })),
      );
      await fc.assert(
        fc.asyncProperty(types, body, async (type, said) => {
          const headers = new Headers({ "content-type": type });
          const named = await namedModel(headers, new Uint8Array(Buffer.from(said)));
          expect(["string", "undefined"]).toContain(typeof named);
        }),
        { numRuns: RUNS },
      );
    },
    LIMIT_MS,
  );
});

describe("the coordinator", () => {
  const coordinator = useCoordinator();

  const ROUTES = [
    "/register",
    "/heartbeat",
    "/authorize",
    "/authorize/extend",
    "/transactions/submit",
    "/auth/login",
    "/auth/register",
    "/auth/delete",
    "/auth/device",
    "/auth/device/token",
    "/auth/device/find",
    "/auth/device/decide",
    "/networks",
    "/invites/accept",
    `/networks/net-${"0".repeat(26)}/invites`,
    `/auth/peers/${"A".repeat(43)}/revoke`,
    "/admin/grants",
  ];

  it.each(ROUTES)(
    "answers any body of POST %s without failing, and repeats nothing of it",
    async (route) => {
      const marker = `secret-${crypto.randomUUID()}`;
      const value = fc.oneof(
        json,
        fc.constant(marker),
        fc.constant([marker]),
        fc.constant({ [marker]: 1 }),
      );
      const body = fc.dictionary(
        fc.constantFrom(
          "model",
          "budget",
          "ticket",
          "add",
          "tickets",
          "receipts",
          "acks",
          "urls",
          "name",
          "email",
          "password",
          "state",
          "models",
          "network",
          "networks",
          "policy",
          "role",
          "uses",
          "code",
          "user_code",
          "device_code",
          "invite",
          "session",
          marker,
        ),
        value,
      );
      await fc.assert(
        fc.asyncProperty(fc.oneof(body, json), async (said) => {
          // A new one each time: one peer's window would be full soon.
          const peer = await newPeer(coordinator().url);
          const answer = await peer.call(route, { body: said });
          expect(answer.status).toBeLessThan(500);
          if (!answer.ok) expect(await answer.text()).not.toContain(marker);
        }),
        { numRuns: SLOW_RUNS },
      );
    },
    LIMIT_MS,
  );

  it(
    "answers any header and any query without failing",
    async () => {
      const value = fc
        .string({ minLength: 1, maxLength: 200 })
        .map((one) => encodeURIComponent(one));
      const header = fc.constantFrom(
        "troop-proof",
        "troop-enrolment",
        "authorization",
        "cookie",
        "x-request-id",
        "troop-protocol",
      );
      const path = fc.constantFrom(
        "/nodes",
        "/v1/models",
        "/users/x/balance",
        "/admin/audit",
        "/auth/me",
        "/health",
      );
      await fc.assert(
        fc.asyncProperty(path, header, value, async (target, name, said) => {
          const answer = await fetch(`${coordinator().url}${target}?cursor=${said}&limit=${said}`, {
            headers: { [name]: said },
          });
          expect(answer.status).toBeLessThan(500);
        }),
        { numRuns: SLOW_RUNS },
      );
    },
    LIMIT_MS,
  );
});
