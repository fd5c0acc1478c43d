/** Version of the wire protocol; a coordinator refuses what it cannot speak with 426. */
export const PROTOCOL_VERSION = 1;

/** The header in which a peer names the protocol version that it speaks. */
export const PROTOCOL_HEADER = "troop-protocol";
