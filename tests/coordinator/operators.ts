import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AuditEvent, AuditPage, type AuditType } from "#protocol/audit";
import type { TestCoordinator } from "#support/coordinator";

/** An operator of a coordinator, with the password of its data folder. */
export function operatorOf(coordinator: () => Pick<TestCoordinator, "url" | "dataDir" | "sweep">) {
  const authorization = (): string => {
    const password = readFileSync(join(coordinator().dataDir, "admin-password"), "utf8");
    return `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
  };

  function call(path: string, body?: unknown): Promise<Response> {
    return fetch(coordinator().url + path, {
      headers: { authorization: authorization(), "content-type": "application/json" },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
  }

  async function events(query: string): Promise<AuditEvent[]> {
    return AuditPage.parse(await (await call(`/admin/audit?${query}`)).json()).events;
  }

  /** Asks until so many events of a type are there: they are written behind the answer. */
  async function awaitEvents(query: string, type: AuditType, count: number): Promise<AuditEvent[]> {
    for (;;) {
      await coordinator().sweep();
      const found = await events(`${query}&event_type=${type}`);
      if (found.length >= count) return found;
    }
  }

  return { call, events, awaitEvents };
}
