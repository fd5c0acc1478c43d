import { CoordinatorKey, Jwks, RegisterRequest, Registration } from "#protocol/register";
import { boundsOf } from "./schema-bounds";

const key = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  kid: "2026-11",
  alg: "EdDSA",
  use: "sig",
};

boundsOf(
  "RegisterRequest",
  RegisterRequest,
  { name: "den, 4090" },
  { optional: ["name"], texts: { name: { min: 1, max: 64 } }, plain: ["name"] },
);

boundsOf("CoordinatorKey", CoordinatorKey, key, {
  texts: { kid: { min: 1, max: 128 }, x: { min: 43, max: 43 } },
  refuses: [
    ["another algorithm", "alg", "HS256"],
    ["a key for encryption", "use", "enc"],
    ["another curve", "crv", "X25519"],
    ["another kind of key", "kty", "oct"],
  ],
});

boundsOf("Jwks", Jwks, { keys: [key] }, { lists: { keys: { min: 1, max: 16 } } });

boundsOf(
  "Registration",
  Registration,
  {
    peer_id: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    user_id: "usr_0123456789abcdefghjkmnpqrs",
    networks: ["public"],
    memberships: [{ network: "net-1", name: "team", role: "use-only" }],
    issuer: "https://coordinator.example",
    jwks: { keys: [key] },
    enrolment: "e.y.s",
    enrolment_expires_at: 1_800_086_400,
    rate: 1_000_000,
    allowed_ranges: ["100.64.0.0/10"],
  },
  {
    // A registration that an older coordinator gave has none.
    optional: ["memberships"],
    integers: { rate: { min: 1, max: 8_000_000 } },
    refuses: [
      ["a role that there is not", "memberships", [{ network: "net-1", name: "a", role: "boss" }]],
      ["an id of 42 characters", "peer_id", "k".repeat(42)],
      ["a user id of another form", "user_id", "usr_1"],
      ["a network id in upper case", "networks", ["Public"]],
      ["no network at all", "networks", []],
      ["an empty issuer", "issuer", ""],
      ["an empty enrolment", "enrolment", ""],
      ["no address range at all", "allowed_ranges", []],
    ],
  },
);
