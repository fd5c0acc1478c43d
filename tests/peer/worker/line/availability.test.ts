import { expect, it } from "vitest";
import { createAvailability } from "#peer/worker/line/availability";

it("is closed while somebody uses the machine, and says so once each time", () => {
  let changes = 0;
  const availability = createAvailability(() => (changes += 1));
  expect(availability.closedBy).toBeUndefined();
  availability.setUserActive(true);
  availability.setUserActive(true);
  expect([availability.closedBy, changes]).toEqual(["user_active", 1]);
  availability.setUserActive(false);
  expect([availability.closedBy, changes]).toEqual([undefined, 2]);
});

it("drains for good, whoever comes or goes", () => {
  let changes = 0;
  const availability = createAvailability(() => (changes += 1));
  availability.drain();
  availability.setUserActive(true);
  availability.setUserActive(false);
  expect([availability.closedBy, changes]).toEqual(["draining", 1]);
});
