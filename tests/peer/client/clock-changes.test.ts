import { expect, it, onTestFinished, vi } from "vitest";
import { clientNetwork, startClient } from "./client-under-test";

it("finds a model that came after the machine's clock was set back", async () => {
  // The machine's clock alone; what measures durations goes on.
  vi.useFakeTimers({ toFake: ["Date"] });
  onTestFinished(() => void vi.useRealTimers());
  const network = await clientNetwork();
  const client = await startClient(network);
  const ask = async () => (await client.get("/v1/models/later")).status;
  expect(await ask()).toBe(404);
  vi.setSystemTime(Date.now() - 3_600_000);
  network.models = [...network.models, "later"];
  await expect.poll(ask).toBe(200);
});
