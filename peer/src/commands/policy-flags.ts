import { z } from "zod";
import { ModelId } from "#protocol/model-offer";
import type { CreateNetworkRequest } from "#protocol/network";
import { Alias } from "../cli/flag-schemas";
import type { FlagSpecs, FlagValues } from "../command";

const OnOff = z.enum(["on", "off"], { error: "must be on or off" }).optional();

/** What may be set about a network; what is not given stays as it is. */
export const POLICY_FLAGS = {
  credits: { schema: OnOff, value: "on|off", summary: "Whether requests cost credits" },
  serve: {
    schema: z.enum(["members", "owners"], { error: "must be members or owners" }).optional(),
    value: "members|owners",
    summary: "Whose machines may lend",
  },
  "own-nodes-first": {
    schema: OnOff,
    value: "on|off",
    summary: "Whether your own machines come before all others for you",
  },
  "allow-model": {
    schema: z.array(z.union([z.literal("all"), ModelId])).optional(),
    value: "MODEL",
    repeats: true,
    summary: "A model that may be used, and none but those named; all: any",
  },
  alias: {
    schema: z.array(z.union([z.literal("none"), Alias])).optional(),
    value: "NAME=MODEL",
    repeats: true,
    summary: "Another name for a model, and none but those named; none: no other names",
  },
} as const satisfies FlagSpecs;

export function policyOf(
  flags: FlagValues<typeof POLICY_FLAGS>,
): NonNullable<CreateNetworkRequest["policy"]> {
  const { credits, serve, "own-nodes-first": ownFirst, "allow-model": models, alias } = flags;
  return {
    ...(credits !== undefined && { credits: credits === "on" }),
    ...(serve !== undefined && { serve }),
    ...(ownFirst !== undefined && { own_nodes_first: ownFirst === "on" }),
    ...(models !== undefined && { allowed_models: models.includes("all") ? [] : models }),
    ...(alias !== undefined && {
      aliases: Object.fromEntries(alias.filter((one) => one !== "none")),
    }),
  };
}
