import { expect, it } from "vitest";
import { coordinatorBaseUrl } from "#peer/coordinator/base-url";

it.each([
  ["https://Troop.Example", "https://troop.example"],
  ["https://troop.example/", "https://troop.example"],
  ["https://troop.example:443/api//", "https://troop.example/api"],
  [" http://127.0.0.1:8787/a/b ", "http://127.0.0.1:8787/a/b"],
  ["http://[::1]:8787", "http://[::1]:8787"],
])("spells %s one way", (text, spelled) => {
  expect(coordinatorBaseUrl(text)).toBe(spelled);
  expect(coordinatorBaseUrl(spelled)).toBe(spelled);
});

it.each([
  "",
  "localhost:8787",
  "troop.example",
  "ftp://troop.example",
  "file:///etc/passwd",
  "https://name:secret@troop.example",
  "https://troop.example/?key=1",
  "https://troop.example/#part",
])("refuses %j", (text) => {
  expect(coordinatorBaseUrl(text)).toBeUndefined();
});
