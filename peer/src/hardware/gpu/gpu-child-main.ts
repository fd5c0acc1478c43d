// The process that holds the GPU, where troop runs from its sources.
import { runGpuChild } from "./gpu-child";

await runGpuChild();
process.exit(0);
