import { expect, it } from "vitest";
import { coordinatorNews } from "#peer/worker/announcing/news";

it("says once that the node is suspended and why, and once that it is not any more", () => {
  const said: string[] = [];
  const news = coordinatorNews((line) => said.push(line));
  for (const reason of [
    undefined,
    "It lied.\u001b[31m",
    "It lied.\u001b[31m",
    undefined,
    undefined,
  ]) {
    news.suspended(reason);
  }
  expect(said).toEqual([
    "This node is suspended: It lied. [31m It is offered to nobody.",
    "This node is offered to clients again.",
  ]);
});
