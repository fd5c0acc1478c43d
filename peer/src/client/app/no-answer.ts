import { isAllowedUrl, TAILSCALE_RANGES } from "#protocol/address-ranges";
import { appError } from "./app-error";
import type { Place } from "../leases/lease";

/** What only this machine can tell of why no node answers. */
export type Surroundings = {
  /** The nodes were chosen by the user, so there are no others to go to. */
  readonly hasChosenNodes: boolean;
  /** This machine's address in the overlay; `undefined`: it has none. */
  readonly overlayAddress: () => string | undefined;
};

/** Several nodes, and none with room: the first of them is free again in so many milliseconds. */
export function allBusy(model: string, nodes: number, freeInMs: number): Response {
  const seconds = Math.max(1, Math.ceil(freeInMs / 1_000));
  const text =
    `All ${nodes} nodes that were asked for ${model} are busy. Try again in ${seconds} s, or use another model; ` +
    "`troop nodes` shows how much each has to do.";
  return appError(503, "node_busy", text, { headers: { "retry-after": String(seconds) } });
}

export function noneReachable(
  model: string,
  places: readonly Place[],
  { hasChosenNodes, overlayAddress }: Surroundings,
): Response {
  const which = hasChosenNodes ? "named with --only" : `for ${model}`;
  const nodes =
    places.length < 2
      ? `The node ${which} can't`
      : `None of the ${places.length} nodes ${which} can`;
  const todo = isOverlayDown(places, overlayAddress)
    ? ", and this machine has no Tailscale address. Start Tailscale (`tailscale up`), then try again."
    : ". Try again in a moment; `troop nodes` shows which are there.";
  const text = `${nodes} be reached from here${todo}`;
  return appError(503, "node_unreachable", text, { headers: { "retry-after": "2" } });
}

/** The nodes are in the overlay, and this machine is not: no waiting will help. */
export function isOverlayDown(
  places: readonly Place[],
  overlayAddress: Surroundings["overlayAddress"],
): boolean {
  const isOverlay = places.every(({ node }) => node.urls.every(isInOverlay));
  return places.length > 0 && isOverlay && overlayAddress() === undefined;
}

/** The nodes that the user chose don't have the model. */
export function notOfTheChosen(model: string): Response {
  const text = `No node named with --only offers ${model} now. Start the client without --only, or see \`troop nodes\`.`;
  return appError(404, "model_not_found", text, { param: "model" });
}

function isInOverlay(url: string): boolean {
  return isAllowedUrl(url, TAILSCALE_RANGES);
}
