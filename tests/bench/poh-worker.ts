// Bundled by poh.ts: what the coordinator does with an opening, so many times, in workerd.
import { checkOpening, HardwareRun } from "#coordinator/domain/hardware-run";
import { makeRowCheck } from "#protocol/poh/freivalds";
import { OpenRequest } from "#protocol/hardware";
import { base64url } from "jose";

type Asked = {
  /** Base64url: of B, and of X. */
  readonly seed: string;
  readonly secret: string;
  readonly nodeId: string;
  readonly run: unknown;
  /** As it comes from the wire. */
  readonly opening: string;
  readonly times: number;
  /** Makes Y anew each time, as an isolate does once for each epoch. */
  readonly isFresh: boolean;
};

export default {
  async fetch(request: Request): Promise<Response> {
    const { isFresh, nodeId, opening, run, secret, seed, times } = await request.json<Asked>();
    const make = () => makeRowCheck(base64url.decode(seed), base64url.decode(secret));
    const kept = make();
    const stored = JSON.stringify(run);
    let passed = 0;
    for (let time = 0; time < times; time += 1) {
      const said = OpenRequest.parse(JSON.parse(opening));
      const known = HardwareRun.parse(JSON.parse(stored));
      const check = isFresh ? make : () => kept;
      const atMs = "asked_ms" in known ? known.asked_ms : 0;
      if (checkOpening(known, said, nodeId, check, atMs).ok) passed += 1;
    }
    return Response.json({ passed });
  },
};
