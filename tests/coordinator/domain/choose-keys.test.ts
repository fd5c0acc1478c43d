import fc from "fast-check";
import { expect, it } from "vitest";
import { chooseKeys } from "#coordinator/domain/choose-keys";

const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 24 * 60 * 60 * 1_000;
const key = (kid: string, signsFromMs: number) => ({ kid, signsFromMs });
const kids = (keys: readonly { kid: string }[] | undefined) => keys?.map(({ kid }) => kid);

it("signs with the key whose time came last, and shows the next one before it signs", () => {
  const keys = [key("setting", -Infinity), key("old", NOW - 60_000), key("next", NOW + 1)];
  const chosen = chooseKeys(keys, NOW);
  expect(chosen?.signer.kid).toBe("old");
  expect(kids(chosen?.published)).toEqual(["old", "next", "setting"]);
  expect(chooseKeys(keys, NOW + 1)?.signer.kid).toBe("next");
});

it("shows a key for a day after it signed last", () => {
  const keys = [key("setting", -Infinity), key("new", NOW)];
  expect(kids(chooseKeys(keys, NOW + DAY_MS - 1)?.published)).toEqual(["new", "setting"]);
  expect(kids(chooseKeys(keys, NOW + DAY_MS)?.published)).toEqual(["new"]);
});

it("signs with the first of the settings while there is no other", () => {
  const keys = [key("first", -Infinity), key("second", -Infinity)];
  expect(kids(chooseKeys(keys, NOW)?.published)).toEqual(["first", "second"]);
  expect(chooseKeys([], NOW)).toBeUndefined();
});

it("never hides a key before whatever it signed is over, whatever the rotations", () => {
  const moments = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { maxLength: 10 });
  fc.assert(
    fc.property(moments, fc.integer({ min: 0, max: 1_000 }), (times, hour) => {
      const keys = [
        key("setting", -Infinity),
        ...times.map((time) => key(`k${time}`, time * 3_600_000)),
      ];
      const signedMs = hour * 3_600_000;
      const signer = chooseKeys(keys, signedMs)?.signer.kid;
      const later = chooseKeys(keys, signedMs + DAY_MS - 1);
      expect(kids(later?.published)).toContain(signer);
    }),
  );
});
