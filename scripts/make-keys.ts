import { makeSigningKeys } from "#self-host/signing-keys";

// For `wrangler secret put SIGNING_KEYS`: goes to stdout only, so that it can be piped and never lies in a file.
process.stdout.write(`${await makeSigningKeys()}\n`);
