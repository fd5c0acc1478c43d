import type { Target } from "./target";

/** Pages that are not the coordinator's own, as a browser tells them. */
export const FOREIGN_PAGES: readonly (readonly [string, (t: Target) => Record<string, string>])[] =
  [
    ["a page of another site", () => ({ origin: "https://evil.example" })],
    ["a page of no site", () => ({ origin: "null" })],
    [
      "a page whose site begins like this one",
      (t) => ({ origin: `${t.coordinator}.evil.example` }),
    ],
    ["a page of another port here", () => ({ origin: "http://127.0.0.1:1" })],
    ["a page by another scheme", (t) => ({ origin: t.coordinator.replace("http:", "https:") })],
    ["a page that a browser calls foreign", () => ({ "sec-fetch-site": "cross-site" })],
    ["a page of a sister site", () => ({ "sec-fetch-site": "same-site" })],
  ];
