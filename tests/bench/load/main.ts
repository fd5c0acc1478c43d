// Makes the load of one part in a process of its own, so that it is not held up by what it measures. The plan comes
// as the only argument, the result goes to stdout, both as JSON.
import { authorizeLoad } from "./authorize-load";
import { failoverLoad } from "./failover-load";
import { hopsLoad } from "./hops-load";
import { manyLoad } from "./many-load";
import { paceLoad } from "./pace-load";
import type { LoadPlan } from "./plan";
import { settleLoad } from "./settle-load";
import { streamsLoad } from "./streams-load";

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan;
process.stdout.write(JSON.stringify(await run(plan)));
process.exit(0);

function run(plan: LoadPlan): Promise<unknown> {
  switch (plan.kind) {
    case "hops":
      return hopsLoad(plan);
    case "streams":
      return streamsLoad(plan);
    case "authorize":
      return authorizeLoad(plan);
    case "settle":
      return settleLoad(plan);
    case "pace":
      return paceLoad(plan);
    case "many":
      return manyLoad(plan);
    case "failover":
      return failoverLoad(plan);
  }
}
