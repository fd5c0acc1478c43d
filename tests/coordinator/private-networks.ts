import { expect } from "vitest";
import { Authorization } from "#protocol/authorize";
import { ModelList, NodePage } from "#protocol/directory";
import { HeartbeatAnswer } from "#protocol/heartbeat";
import { Network, NewInvite } from "#protocol/network";
import { Problem } from "#protocol/problem";
import type { Registration } from "#protocol/register";
import type { TestCoordinator } from "#support/coordinator";
import { newPeer, type TestPeer } from "#support/test-peer";

/** A peer with a user of its own, who can join private networks and lend in them. */
export type Friend = TestPeer & {
  readonly user: string;
  readonly node: string;
  /** What it got when it registered last. */
  enrolled: Registration;
};

/** Private networks of a coordinator, their members and what these ask for. */
export function privateNetworksOf(coordinator: () => TestCoordinator) {
  async function friend(): Promise<Friend> {
    const peer = await newPeer(coordinator().url);
    const enrolled = await peer.register();
    return { ...peer, enrolled, user: enrolled.user_id, node: peer.identity.peerId };
  }

  async function create(owner: Friend, policy: object = {}): Promise<Network> {
    const made = await owner.call("/networks", { body: { name: newName(), policy } });
    expect(made.status).toBe(201);
    return Network.parse(await made.json());
  }

  async function invite(owner: Friend, network: Network, facts: object = {}): Promise<NewInvite> {
    const body = { role: "member", uses: 1, expires_in_seconds: 600, ...facts };
    const made = await owner.call(`/networks/${network.id}/invites`, { body });
    expect(made.status).toBe(201);
    return NewInvite.parse(await made.json());
  }

  async function accept(peer: TestPeer, { invite: text }: NewInvite): Promise<Response> {
    return peer.call("/invites/accept", { body: { code: text.split("@")[0] } });
  }

  /** Another member. */
  async function join(owner: Friend, network: Network, role: string): Promise<Friend> {
    const joining = await friend();
    expect((await accept(joining, await invite(owner, network, { role }))).status).toBe(200);
    joining.enrolled = await joining.register();
    return joining;
  }

  /** Lends one model in one network; the result is the networks that were refused. */
  async function lend(peer: Friend, network: string, model: string): Promise<string[]> {
    const models = [{ id: model, engine: "ollama", state: "loaded" } as const];
    const beat = await peer.beat(peer.enrolled, { networks: [network], models });
    expect(beat.status).toBe(200);
    return HeartbeatAnswer.parse(await beat.json()).refused_networks ?? [];
  }

  async function authorize(peer: TestPeer, network: string, model: string): Promise<Authorization> {
    const granted = await peer.call("/authorize", { body: { model, network } });
    expect(granted.status).toBe(200);
    return Authorization.parse(await granted.json());
  }

  async function modelsIn(peer: TestPeer, network: string): Promise<string[]> {
    const list = await peer.call(`/v1/models?network=${network}`);
    return ModelList.parse(await list.json()).data.map(({ id }) => id);
  }

  async function nodesIn(peer: TestPeer, network: string): Promise<string[]> {
    const page = await peer.call(`/nodes?network=${network}`);
    return NodePage.parse(await page.json()).nodes.map(({ node_id }) => node_id);
  }

  return { friend, create, invite, accept, join, lend, authorize, modelsIn, nodesIn };
}

export const newName = (): string => `team-${crypto.randomUUID().slice(0, 8)}`;
export const newModel = (): string => `org/model-${crypto.randomUUID()}`;

/** Why a call was refused. */
export async function codeOf(answer: Promise<Response>): Promise<string> {
  return Problem.parse(await (await answer).json()).code;
}
