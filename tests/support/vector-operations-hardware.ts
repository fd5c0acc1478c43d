import { z } from "zod";
import { chacha8 } from "#protocol/poh/chacha8";
import { keyOfA, matrixB, matrixRow, productRow } from "#protocol/poh/matrix";
import { treeOfDigests } from "#protocol/poh/openings";
import { digestPage, passKey, passStream } from "#protocol/poh/page-digest";
import { DIGEST_BYTES, digestRow } from "#protocol/poh/row-digest";
import { hashOf } from "#protocol/poh/sha256";
import { Hex, hex, operation } from "./vector-operation";

/** What the vectors of the proof of hardware do. */
export const HARDWARE_OPERATIONS = {
  chacha8: operation(
    { key: Hex, stream: z.int(), bytes: z.int() },
    async ({ bytes, key, stream }) => {
      const out = new Uint8Array(bytes);
      chacha8(key, stream, out);
      return hex(out);
    },
  ),
  matrix_row: operation(
    { nonce: Hex, node: z.string(), row: z.int() },
    async ({ node, nonce, row }) => hex(hashOf(matrixRow(keyOfA(nonce, node), row))),
  ),
  product_row: operation(
    { nonce: Hex, node: z.string(), seed: Hex, row: z.int() },
    async ({ node, nonce, row, seed }) =>
      hex(hashOf(productRow(matrixRow(keyOfA(nonce, node), row), matrixB(seed)))),
  ),
  row_digest: operation({ row: Hex }, async ({ row }) => {
    const digest = new Uint8Array(DIGEST_BYTES);
    digestRow(row, digest, 0);
    return hex(digest);
  }),
  pass_key: operation({ issued: Hex, before: Hex.optional() }, async ({ issued, before }) =>
    hex(passKey(issued, before)),
  ),
  page_digest: operation({ page: Hex, key: Hex }, async ({ page, key }) => {
    const digest = new Uint8Array(DIGEST_BYTES);
    digestPage(page, passStream(key), digest, 0);
    return hex(digest);
  }),
  digest_tree: operation({ count: z.int() }, async ({ count }) => {
    const digests = Uint8Array.from({ length: count * DIGEST_BYTES }, (_, at) =>
      Math.floor(at / DIGEST_BYTES),
    );
    return hex(treeOfDigests(digests).root);
  }),
};
