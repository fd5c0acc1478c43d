import { join } from "node:path";
import { ADMIN_NAME } from "#protocol/ledger-check";
import { findRunning } from "#self-host/running-file";

/** What an operator has to put right; its message is for people. */
export class CannotAsk extends Error {}

export type Where = { readonly data: string; readonly url: string | undefined };

/**
 * Calls the coordinator as its operator: the one that runs with a data folder of this machine, or, with `url`, any, by the
 * environment's ADMIN_PASSWORD.
 */
export async function askCoordinator(
  where: Where,
  path: string,
  init: { readonly body?: unknown; readonly limitMs: number },
): Promise<unknown> {
  const { url, password } = findCoordinator(where);
  const credentials = Buffer.from(`${ADMIN_NAME}:${password}`).toString("base64");
  const answer = await fetch(url + path, {
    headers: { authorization: `Basic ${credentials}`, "content-type": "application/json" },
    ...(init.body !== undefined && { method: "POST", body: JSON.stringify(init.body) }),
    redirect: "error",
    signal: AbortSignal.timeout(init.limitMs),
  }).catch((cause: unknown) => {
    throw new CannotAsk(`The coordinator at ${url} does not answer.`, { cause });
  });
  if (answer.status !== 200) {
    const why = answer.status === 401 ? ": it was started with another ADMIN_PASSWORD" : "";
    throw new CannotAsk(`The coordinator at ${url} answers ${answer.status}${why}.`);
  }
  return answer.json();
}

function findCoordinator({ data, url }: Where): { url: string; password: string } {
  if (url !== undefined) {
    const password = process.env["ADMIN_PASSWORD"];
    if (password === undefined)
      throw new CannotAsk("Set ADMIN_PASSWORD to the operator's password.");
    return { url: url.replace(/\/+$/, ""), password };
  }
  const running = findRunning(join(data, "coordinator")) ?? findRunning(data);
  if (running !== undefined) return running;
  throw new CannotAsk(
    `No coordinator runs with the data folder ${data}.\n` +
      "Start one (npm start), name its folder with --data, or its URL with --url.",
  );
}
