import { type Answer, type Connection, openConnection } from "./http-connection";

/** Kept-alive connections to one server; opens another where all are in use, as an app's client does. */
export type ConnectionPool = {
  readonly send: (request: Uint8Array) => Promise<Answer>;
  readonly close: () => void;
};

/** `size`: how many are open before the first request. */
export async function openPool(url: string, size: number): Promise<ConnectionPool> {
  const free: Connection[] = await Promise.all(
    Array.from({ length: size }, () => openConnection(url)),
  );
  const all = [...free];

  return {
    async send(request) {
      let connection = free.pop();
      // A server closes connections that nobody uses for long.
      while (connection?.isOpen === false) connection = free.pop();
      if (connection === undefined) {
        connection = await openConnection(url);
        all.push(connection);
      }
      const answer = await connection.send(request);
      free.push(connection);
      if (answer.status !== 200) throw new Error(`a request was answered with ${answer.status}`);
      return answer;
    },
    close() {
      for (const connection of all) connection.close();
    },
  };
}
