import { expect, it } from "vitest";
import type { Desk } from "#peer/client/networks";
import { createNetworks } from "#peer/client/networks";
import type { Membership } from "#protocol/network";

const membership = (name: string, network: string = `net-${name}`): Membership => ({
  network,
  name,
  role: "member",
});

function setUp(memberships: Membership[], main: string = "public") {
  const own = [...memberships];
  const opened: string[] = [];
  const desks = new Map<Desk, string>();
  const networks = createNetworks({
    main: () => main,
    memberships: () => own,
    open(network) {
      opened.push(network);
      const desk = {} as Desk; // Only told apart here.
      desks.set(desk, network);
      return desk;
    },
  });
  const pick = (name: string): string => {
    const picked = networks.pick(name);
    if (!picked.ok) return picked.reason;
    return `${desks.get(picked.value.desk)} ${picked.value.model}`;
  };
  return { own, networks, opened, pick };
}

it("takes a prefix for a network only where it names one of the caller's", () => {
  const { pick } = setUp([membership("team")]);
  expect(pick("team/llama")).toBe("net-team llama");
  expect(pick("team/meta/llama")).toBe("net-team meta/llama");
  expect(pick("net-team/llama")).toBe("net-team llama");
  expect(pick("public/team/llama")).toBe("public team/llama");
  for (const name of ["llama", "meta/llama", "teams/llama", "/llama", "team", "Team/llama"]) {
    expect(pick(name)).toBe(`public ${name}`);
  }
});

it("sends names without a prefix to the client's own network, with their slashes", () => {
  const { pick } = setUp([membership("team"), membership("lab")], "net-team");
  expect(pick("meta/llama")).toBe("net-team meta/llama");
  expect(pick("lab/llama")).toBe("net-lab llama");
  expect(pick("public/llama")).toBe("public llama");
});

it("asks for an id where two networks have the name", () => {
  const { networks, pick } = setUp([membership("team", "net-1"), membership("team", "net-2")]);
  expect(pick("team/llama")).toBe("ambiguous");
  expect(pick("net-2/llama")).toBe("net-2 llama");
  expect([...networks.desks().others.keys()]).toEqual(["net-1", "net-2"]);
});

it("sends nothing that was meant for a network to the public one when the network is gone", () => {
  const { own, pick } = setUp([membership("team")]);
  expect(pick("team/llama")).toBe("net-team llama");
  own.pop();
  expect(pick("team/llama")).toBe("left");
  expect(pick("net-team/llama")).toBe("left");
  const main = setUp([membership("lab")], "net-lab");
  main.own.pop();
  expect(main.pick("llama")).toBe("left");
});

it("opens each network once, when it is needed", () => {
  const { opened, pick } = setUp([membership("team"), membership("lab")]);
  pick("team/a");
  pick("team/b");
  pick("c");
  expect(opened).toEqual(["net-team", "public"]);
});
