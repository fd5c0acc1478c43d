import { expect, it } from "vitest";
import { z } from "zod";
import { leaseIdOf } from "#coordinator/domain/lease-id";

it("is a UUID that only the same peer with the same proof gets again", async () => {
  const id = await leaseIdOf("peer", "jti");
  expect(z.uuid().safeParse(id).success).toBe(true);
  expect(await leaseIdOf("peer", "jti")).toBe(id);
  expect(await leaseIdOf("peer", "other")).not.toBe(id);
  expect(await leaseIdOf("other", "jti")).not.toBe(id);
});
