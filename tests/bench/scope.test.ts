import { expect, it } from "vitest";
import { openScope } from "./scope";

it("stops what was started, newest first", async () => {
  const stopped: string[] = [];
  const scope = openScope(() => {});
  for (const name of ["engine", "worker"]) {
    await scope.hold(
      async () => name,
      (held) => stopped.push(held),
    );
  }
  await scope.end();
  expect(stopped).toEqual(["worker", "engine"]);
});

it("stops also what comes up only after the end began, and starts nothing any more", async () => {
  const gate = Promise.withResolvers<string>();
  const stopped: string[] = [];
  const scope = openScope(() => {});
  const starting = scope.hold(
    () => gate.promise,
    (held) => stopped.push(held),
  );
  const ending = scope.end();
  expect(() =>
    scope.hold(
      async () => "late",
      () => {},
    ),
  ).toThrow("is being stopped");
  gate.resolve("network");
  await ending;
  expect(await starting).toBe("network");
  expect(stopped).toEqual(["network"]);
});

it("stops the rest where something did not start", async () => {
  const stopped: string[] = [];
  const scope = openScope(() => {});
  await scope.hold(
    async () => "engine",
    (held) => stopped.push(held),
  );
  const failing = scope.hold(
    () => Promise.reject(new Error("port taken")),
    () => stopped.push("never"),
  );
  await expect(failing).rejects.toThrow("port taken");
  await scope.end();
  expect(stopped).toEqual(["engine"]);
});
