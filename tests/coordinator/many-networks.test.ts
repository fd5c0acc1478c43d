import { expect, it } from "vitest";
import { DeviceCode } from "#protocol/device";
import { MOST_LENT_IN } from "#protocol/enrolment";
import { useCoordinator } from "#support/coordinator";
import { peopleOf } from "./people";
import { codeOf, newModel, newName, privateNetworksOf } from "./private-networks";

const coordinator = useCoordinator();
const { person } = peopleOf(coordinator);
const { create, friend, lend } = privateNetworksOf(coordinator);

it("a person whose machines bring more networks together than one node may serve in still lends in the oldest", async () => {
  const somebody = await person();
  const peers = [await friend(), await friend()] as const;
  const ids: string[] = [];
  for (const peer of peers) {
    for (let turn = 0; turn < 40; turn += 1) ids.push((await create(peer)).id);
    const begun = DeviceCode.parse(await (await peer.call("/auth/device", { body: {} })).json());
    const body = { user_code: begun.user_code, approve: true };
    await somebody.ask("/auth/device/decide", { body });
    const { device_code } = begun;
    expect((await peer.call("/auth/device/token", { body: { device_code } })).status).toBe(200);
  }
  const [node] = peers;
  node.enrolled = await node.register();
  expect(node.enrolled.memberships).toHaveLength(ids.length);
  expect(node.enrolled.networks).toHaveLength(MOST_LENT_IN);
  expect(await lend(node, "public", newModel())).toEqual([]);
  expect(await lend(node, ids[0] ?? "", newModel())).toEqual([]);
  expect(await codeOf(node.call("/networks", { body: { name: newName() } }))).toBe("limit_reached");
});
