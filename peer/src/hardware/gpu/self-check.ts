import { keyOfA, matrixB, matrixRow, productRow, SIZE } from "#protocol/poh/matrix";
import { digestPage, PAGE_BYTES, passStream, ROWS_PER_PAGE } from "#protocol/poh/page-digest";
import { DIGEST_BYTES, digestRow } from "#protocol/poh/row-digest";
import { sameBytes } from "#protocol/poh/merkle";
import type { ProofDevice } from "../device";

const SEED = new Uint8Array(32).fill(1);
const LEAST_ROWS = 64;

/**
 * Whether a device comes to what the protocol's own arithmetic comes to, for some rows and a page: a driver that computes
 * wrongly would cost its owner a failed proof.
 */
export async function checkGpu(device: ProofDevice): Promise<boolean> {
  const keyA = keyOfA(SEED, "self-check");
  const isEnough = (rows: number) => rows >= LEAST_ROWS;
  const work = { keyA, seed: SEED, maxRows: 2 ** 18, isEnough };
  const { digests } = await device.compute(work);
  const leaf = await device.leafRows(0);
  const b = matrixB(SEED);
  for (const row of [0, 1, 31, LEAST_ROWS - 1]) {
    const right = productRow(matrixRow(keyA, row), b);
    const digest = new Uint8Array(DIGEST_BYTES);
    digestRow(right, digest, 0);
    const shown = leaf.subarray(row * SIZE, (row + 1) * SIZE);
    const said = digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
    if (!sameBytes(shown, right) || !sameBytes(said, digest)) return false;
  }
  const stream = passStream(keyA);
  const pages = await device.pass(stream);
  const digest = new Uint8Array(DIGEST_BYTES);
  const last = LEAST_ROWS / ROWS_PER_PAGE - 1;
  digestPage(leaf.subarray(last * PAGE_BYTES, (last + 1) * PAGE_BYTES), stream, digest, 0);
  return sameBytes(pages.subarray(last * DIGEST_BYTES, (last + 1) * DIGEST_BYTES), digest);
}
