import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { MODEL } from "./fake-network";

/** An OpenAI-compatible engine that answers requests as the test says; where it is not well it lists no models. */
export async function scriptedEngine(
  answer: (response: ServerResponse) => void,
  isWell: () => boolean = () => true,
): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.once("end", () => {
      if (request.method === "POST") answer(response);
      else if (!isWell()) response.writeHead(503).end();
      else response.end(JSON.stringify({ object: "list", data: [{ id: MODEL, object: "model" }] }));
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
