/** Per network: nodes (hash by id), offers (hash by node id, one for each model), models by when last seen. */
export const liveKeys = {
  nodes: (network: string) => `nodes:${network}`,
  offers: (network: string, model: string) => `offers:${network}:${model}`,
  models: (network: string) => `models:${network}`,
  firstSeen: (network: string) => `first-seen:${network}`,
};

/**
 * Says that a user's nodes, or one node, may not serve in a network any more, though enrolments still name it; it lasts
 * as long as any of those can.
 */
export const banKey = (network: string, userOrNode: string) =>
  `no-serving:${network}:${userOrNode}`;

/** Where an operator's word about a node lies: why it may not serve. */
export const suspendedKey = (nodeId: string) => `suspended:${nodeId}`;

/** The hashes that a node's latest heartbeat stands in, as JSON: whoever takes it off the lists has to know them all. */
export const announcedKey = (nodeId: string) => `announced:${nodeId}`;
