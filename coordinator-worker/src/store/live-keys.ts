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

/** When a peer was signed out: enrolments from before count no more. */
export const signedOutKey = (peerId: string) => `signed-out:${peerId}`;

/** Whose a peer is since it was linked: enrolments that name another user count no more. */
export const linkedToKey = (peerId: string) => `linked-to:${peerId}`;

/**
 * Since when this Redis remembers, in seconds. One that was emptied has forgotten who was signed out, suspended or banned,
 * so that enrolments from before count no more: whoever registers again gets one that says what holds.
 */
export const REMEMBERS_SINCE_KEY = "remembers-since";
export const REMEMBERS_SINCE_TTL_S = 30 * 24 * 60 * 60;

/** Where an operator's word about a node lies: why it may not serve. */
export const suspendedKey = (nodeId: string) => `suspended:${nodeId}`;

/** The hashes that a node's latest heartbeat stands in, as JSON: whoever takes it off the lists has to know them all. */
export const announcedKey = (nodeId: string) => `announced:${nodeId}`;
