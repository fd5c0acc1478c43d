import { callHttp } from "#peer/http/call";

/** Calls in a process of their own, for what is set when it starts; its arguments are URLs. */
for (const url of process.argv.slice(2)) {
  const call = callHttp({ url, headers: {}, body: { kind: "whole", bytes: new Uint8Array() } });
  const answer = await call.answer;
  process.stdout.write(`${answer.ok ? answer.value.status : answer.reason}\n`);
}
process.exit(0);
