// A new signing key for the coordinator: npm run keys:rotate [-- --data .troop | --url https://…] [--lead SECONDS]
// Nothing else has to be done, and nothing stops: the new key is shown to all nodes before it signs.
import { KEY_LEAD_S, KEYS_ROTATE_PATH, Rotation } from "#protocol/admin";
import { readFlags } from "#self-host/flags";
import { SelfHostError, toldOf } from "#self-host/self-host-error";
import { askCoordinator } from "./ask-coordinator";

const LIMIT_MS = 30_000;
const FLAGS = {
  data: { type: "string", default: ".troop" },
  url: { type: "string" },
  lead: { type: "string", default: String(KEY_LEAD_S) },
} as const;

try {
  const { data, url, lead } = readFlags(process.argv.slice(2), FLAGS, "docs/operators.md");
  if (!/^\d{1,5}$/.test(lead)) {
    throw new SelfHostError(
      "--lead must be a number of seconds",
      `For example: --lead ${KEY_LEAD_S}`,
    );
  }
  const body = { lead_seconds: Number(lead) };
  const answer = await askCoordinator({ data, url }, KEYS_ROTATE_PATH, { body, limitMs: LIMIT_MS });
  const { kid, signs_from } = Rotation.parse(answer);
  process.stdout.write(`The key ${kid} is shown from now on and signs from ${signs_from} on.\n`);
} catch (error) {
  process.stderr.write(toldOf(error));
  process.exit(2);
}
