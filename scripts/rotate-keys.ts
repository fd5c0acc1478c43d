// A new signing key for the coordinator: npm run keys:rotate [-- --data .troop | --url https://…] [--lead SECONDS]
// Nothing else has to be done, and nothing stops: the new key is shown to all nodes before it signs.
import { parseArgs } from "node:util";
import { KEY_LEAD_S, KEYS_ROTATE_PATH, Rotation } from "#protocol/admin";
import { askCoordinator } from "./ask-coordinator";

const LIMIT_MS = 30_000;

try {
  const { values } = parseArgs({
    options: {
      data: { type: "string", default: ".troop" },
      url: { type: "string" },
      lead: { type: "string", default: String(KEY_LEAD_S) },
    },
  });
  const body = { lead_seconds: Number(values.lead) };
  const where = { data: values.data, url: values.url };
  const answer = await askCoordinator(where, KEYS_ROTATE_PATH, { body, limitMs: LIMIT_MS });
  const { kid, signs_from } = Rotation.parse(answer);
  process.stdout.write(`The key ${kid} is shown from now on and signs from ${signs_from} on.\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : "Something failed."}\n`);
  process.exit(2);
}
