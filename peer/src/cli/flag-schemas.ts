import { z } from "zod";
import { parseAlias } from "#protocol/model-alias";
import { coordinatorBaseUrl } from "../coordinator/base-url";

/** Schemas of flags' values. Their messages follow the flag's name and never repeat the value. */

export const CoordinatorUrl = z.string().transform((text, issues) => {
  const baseUrl = coordinatorBaseUrl(text);
  if (baseUrl !== undefined) return baseUrl;
  issues.addIssue("must be a URL such as https://troop.example or http://127.0.0.1:8787");
  return z.NEVER;
});

export const HttpUrl = z.url({
  protocol: /^https?$/,
  error: "must be a URL such as http://127.0.0.1:11434",
});

/** As browsers spell one. */
export const Origin = z
  .string()
  .regex(
    /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@A-Z]+$/,
    "must be an origin as browsers spell it, such as http://192.168.1.5:3000",
  );

/** A port to listen on; 0 takes a free one. */
export const Port = wholeNumber(0, 65_535);

export const HostPort = z.string().transform((text, issues) => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host !== undefined && port <= 65_535) return { host, port };
  issues.addIssue("must be HOST:PORT, such as 100.64.0.7:8080 or [fd7a:115c:a1e0::7]:8080");
  return z.NEVER;
});

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds; written as `90`, `90s`, `5m`, `2h` or `7d`. */
export function duration(leastS: number, mostS: number): z.ZodType<number, string> {
  return z.string().transform((text, issues) => {
    const [, digits = "", unit] = /^(\d{1,9})(s|m|h|d)?$/.exec(text) ?? [];
    const seconds = digits === "" ? Number.NaN : Number(digits) * (UNIT_S[unit ?? "s"] ?? 1);
    if (seconds >= leastS && seconds <= mostS) return seconds;
    issues.addIssue(`must be a time such as 90s, 5m or 2h, from ${leastS}s to ${mostS}s`);
    return z.NEVER;
  });
}

/** Another name for a model. */
export const Alias = z.string().transform((text, issues) => {
  const pair = parseAlias(text);
  if (pair !== undefined) return pair;
  issues.addIssue("must be NAME=MODEL, such as gpt-4o-mini=llama3.1:8b");
  return z.NEVER;
});

export function wholeNumber(least: number, most: number): z.ZodType<number, string> {
  return z.string().transform((text, issues) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    issues.addIssue(`must be a whole number from ${least} to ${most}`);
    return z.NEVER;
  });
}
