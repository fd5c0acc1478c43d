import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import {
  attachSession,
  createRedisCommandExecutor,
  RedisServerState,
  SocketConnectionTransport,
} from "js-redis-server/core";

/** `npm run test:stores` names a real Redis here. */
const realUrl = process.env.TROOP_TEST_REDIS_URL;

/** URLs to open: none for the embedded Redis, and a real one where there is one. */
export const redises: readonly { readonly name: string; readonly redisUrl: string | undefined }[] =
  [
    { name: "embedded", redisUrl: undefined },
    ...(realUrl === undefined ? [] : [{ name: "real", redisUrl: realUrl }]),
  ];

/** `js-redis-server` on 127.0.0.1; its own server would listen on every address. */
export async function startRedisOnTcp(): Promise<{
  readonly port: number;
  readonly close: () => Promise<void>;
}> {
  const state = new RedisServerState({ databaseCount: 1 });
  const executor = createRedisCommandExecutor();
  const server = createServer((socket) => {
    attachSession(new SocketConnectionTransport(socket), { state, executor });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      await once(server, "close");
      state.close();
    },
  };
}
