/** What the coordinator takes from Node's crypto; the runtime's own types leave Node out. */
declare module "node:crypto" {
  export function scrypt(
    password: string | Uint8Array,
    salt: Uint8Array,
    bytes: number,
    options: { readonly N: number; readonly r: number; readonly p: number },
    done: (error: Error | null, key: Uint8Array) => void,
  ): void;
  /** The part of Node's `Hash` that is used. */
  type Hash = { update(data: Uint8Array): Hash; digest(): Uint8Array };
  export function createHash(algorithm: "sha256"): Hash;
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}
