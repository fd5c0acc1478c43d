/** What a server says to bytes that no HTTP client would send. */
export async function rawAnswer(
  hostname: string,
  port: number,
  request: string,
): Promise<Response> {
  const text = await new Promise<string>((resolve, reject) => {
    let said = "";
    const look = (socket: { end(): void }) => {
      const [head = "", body] = said.split("\r\n\r\n");
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (body === undefined || body.length < Number(length ?? 0)) return;
      resolve(said);
      socket.end();
    };
    Bun.connect({
      hostname,
      port,
      socket: {
        open: (socket) => void socket.write(request),
        data(socket, bytes) {
          said += bytes.toString("latin1");
          look(socket);
        },
        close: () => reject(new Error(`The connection ended: ${said}`)),
      },
    }).catch(reject);
  });
  const [head = "", body = ""] = text.split("\r\n\r\n");
  return new Response(body, { status: Number(head.split(" ")[1]) });
}
