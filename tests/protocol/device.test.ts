import { expect, it } from "vitest";
import { DeviceCode, DeviceRequest, DeviceTokenRequest, UserCode } from "#protocol/device";
import { boundsOf } from "./schema-bounds";

boundsOf(
  "DeviceRequest",
  DeviceRequest,
  { name: "tower" },
  { optional: ["name"], texts: { name: { min: 1, max: 64 } }, plain: ["name"] },
);

boundsOf(
  "DeviceTokenRequest",
  DeviceTokenRequest,
  { device_code: "code" },
  { texts: { device_code: { min: 1, max: 128 } } },
);

boundsOf(
  "DeviceCode",
  DeviceCode,
  {
    device_code: "code",
    user_code: "BCDF-GHJK",
    verification_uri: "https://troop.example/account",
    verification_uri_complete: "https://troop.example/account#BCDF-GHJK",
    expires_in: 600,
    interval: 2,
  },
  {
    refuses: [
      ["a link that is a program", "verification_uri", "javascript:alert(1)"],
      ["a link that is a program", "verification_uri_complete", "file:///etc/passwd"],
      ["an interval of nothing", "interval", 0],
    ],
  },
);

it.each(["BCDFGHJK", "bcdf-ghjk", " b c d f g h j k "])("takes %j for the same code", (typed) => {
  expect(UserCode.parse(typed)).toBe("BCDFGHJK");
});

it.each(["BCDFGHJ", "BCDFGHJKL", "ABCDFGHJ", "", "B".repeat(33), 7])(
  "takes %j for none",
  (typed) => {
    expect(UserCode.safeParse(typed).success).toBe(false);
  },
);
