import { join } from "node:path";
import { ADMIN_NAME } from "#protocol/ledger-check";
import { findRunning } from "#self-host/running-file";
import { SelfHostError } from "#self-host/self-host-error";

export type Where = { readonly data: string; readonly url: string | undefined };

/**
 * Calls the coordinator as its operator: the one that runs with a data folder of this machine, by the environment's
 * ADMIN_PASSWORD or else its own, or, with `url`, any, by the environment's.
 *
 * @throws SelfHostError where it cannot be asked.
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
    const hint = "Does it run, and is that its URL?";
    throw new SelfHostError(`the coordinator at ${url} does not answer`, hint, { cause });
  });
  if (answer.status !== 200) {
    throw new SelfHostError(
      `the coordinator at ${url} answers ${answer.status}`,
      hintAt(answer.status),
    );
  }
  return answer.json();
}

function hintAt(status: number): string {
  switch (status) {
    case 401:
      return "It has another operator's password: set ADMIN_PASSWORD in the environment to it.";
    case 404:
      return "Either it was started without ADMIN_PASSWORD, and has no operator, or the URL lacks its path.";
    case 429:
      return "Too much was asked of it, also with wrong passwords. Try again in a minute.";
    default:
      return "Its log says why.";
  }
}

function findCoordinator({ data, url }: Where): { url: string; password: string } {
  const given = process.env["ADMIN_PASSWORD"];
  if (url !== undefined) {
    if (!URL.canParse(url)) {
      throw new SelfHostError(
        "--url is no URL",
        "For example: --url https://coordinator.example.com",
      );
    }
    if (given === undefined) {
      const hint = "Set ADMIN_PASSWORD in the environment to it.";
      throw new SelfHostError("the operator's password is not known", hint);
    }
    return { url: url.replace(/\/+$/, ""), password: given };
  }
  const running = findRunning(join(data, "coordinator")) ?? findRunning(data);
  if (running !== undefined) return { url: running.url, password: given ?? running.password };
  throw new SelfHostError(
    `no coordinator runs with the data folder ${data}`,
    "Start one (npm start), name its folder with --data, or its URL with --url.",
  );
}
