import { expect, it } from "vitest";
import { addressOf } from "#peer/http/address";

it("takes an address apart", () => {
  expect(addressOf("http://[::1]:8080/v1/a%20b?x=1")).toMatchObject({
    origin: "http://[::1]:8080",
    host: "[::1]:8080",
    target: "/v1/a%20b?x=1",
  });
  expect(addressOf("https://node.example")).toMatchObject({
    origin: "https://node.example",
    host: "node.example",
    target: "/",
  });
  expect(() => addressOf("nowhere")).toThrow(TypeError);
});

it("does so once, but keeps none with a query, and no more than some", () => {
  const again = (url: string): boolean => addressOf(url) === addressOf(url);
  expect(again("http://node/v1/sealed")).toBe(true);
  expect(again("http://node/v1/sealed?key=secret")).toBe(false);
  const first = addressOf("http://node/0");
  for (let at = 1; at <= 256; at += 1) addressOf(`http://node/${at}`);
  expect(addressOf("http://node/0")).not.toBe(first);
  expect(addressOf("http://node/0")).toEqual(first);
});
