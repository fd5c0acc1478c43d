import { expect, it } from "vitest";
import { ModelList } from "#protocol/directory";
import { useCoordinator } from "#support/coordinator";
import { membersOf } from "./members";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });
const { authorize, join, receiptOf, serve, submit } = membersOf(coordinator);

it("shows what a model usually costs once 20 receipts are in, and pays no more than one and a half times that", async () => {
  const model = `fair/${crypto.randomUUID()}`;
  const node = await serve(model);
  const client = await join();
  const priceOf = async () => {
    const list = ModelList.parse(await (await client.call("/v1/models")).json());
    return list.data.find(({ id }) => id === model)?.credits_per_1k_tokens;
  };
  const granted = await authorize(client, { model });
  const receipts = (from: number, count: number, tokens: number) =>
    Array.from({ length: count }, (_, place) =>
      receiptOf(granted, { seq: from + place, completion_tokens: tokens }),
    );
  await submit(node, [granted], receipts(0, 19, 100));
  await coordinator().sweep();
  expect(await priceOf()).toBeUndefined();

  // 2,000 microcredits for 100 tokens each.
  await submit(node, [granted], receipts(19, 1, 100));
  await expect.poll(() => coordinator().sweep().then(priceOf)).toBe("0.02");
  expect(await submit(node, [granted], receipts(20, 2, 10))).toEqual([
    { status: "settled", amount: 300 },
    { status: "settled", amount: 300 },
  ]);
});
