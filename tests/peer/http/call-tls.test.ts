import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createServer } from "node:tls";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { callHttp } from "#peer/http/call";
import { temporaryFolder } from "../home/temporary-folder";
import { SELF_SIGNED } from "./self-signed";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/** A server with that certificate: its port, and what it was told. */
async function serve(): Promise<{ readonly port: number; readonly said: () => string }> {
  let said = "";
  const server = createServer(SELF_SIGNED, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      said += bytes.toString();
      socket.end(OK);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("It listens nowhere.");
  return { port: address.port, said: () => said };
}

it("takes nobody's word who cannot show a certificate", async () => {
  const { port, said } = await serve();
  const body = { kind: "whole", bytes: Buffer.from("{}") } as const;
  const call = callHttp({ url: `https://127.0.0.1:${port}/`, headers: {}, body });
  expect(await call.answer).toEqual({ ok: false, reason: "unreachable" });
  expect(said()).toBe("");
});

it("takes nobody's word whose certificate is another's, whoever vouches for it", async () => {
  const { port } = await serve();
  const authorities = join(await temporaryFolder(), "authorities.pem");
  await writeFile(authorities, SELF_SIGNED.cert);
  const script = fileURLToPath(import.meta.resolve("./call-process.ts"));
  const urls = ["127.0.0.1", "localhost"].map((host) => `https://${host}:${port}/v1/x`);
  const caller = Bun.spawn([process.execPath, script, ...urls], {
    env: { PATH: process.env["PATH"] ?? "", NODE_EXTRA_CA_CERTS: authorities },
    stdout: "pipe",
  });
  expect(await new Response(caller.stdout).text()).toBe("200\nunreachable\n");
});
