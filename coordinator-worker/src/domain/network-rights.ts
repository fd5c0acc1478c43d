import type { NetworkPolicy, NetworkRole } from "#protocol/network";

/** Whether a member's nodes may serve in a network. Who may use it is decided in SQL, together with the hold. */
export function mayServe(role: NetworkRole, policy: NetworkPolicy): boolean {
  if (role === "owner") return true;
  return policy.serve === "members" && role !== "use-only";
}
