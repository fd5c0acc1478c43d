import { PROTOCOL_VERSION } from "#protocol/version";
import { command } from "../command";
import { VERSION } from "../version";

type Version = {
  readonly version: string;
  readonly protocol: number;
  readonly platform: string;
  readonly bun: string;
};

export const version = command({
  schema: "troop.version/1",
  flags: {},
  run: async (): Promise<Version> => ({
    version: VERSION,
    protocol: PROTOCOL_VERSION,
    platform: `${process.platform}-${process.arch}`,
    bun: Bun.version,
  }),
  human: (data) =>
    `troop ${data.version} (protocol ${data.protocol}, ${data.platform}, Bun ${data.bun})\n`,
});
