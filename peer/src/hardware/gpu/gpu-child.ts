import { type GpuKernel, NoGpu, openGpuKernel } from "./gpu-kernel";
import { loadDawn } from "./load-dawn";
import type { GpuAnswer, GpuRequest } from "./messages";

/**
 * Holds the GPU for another process of this program: drivers crash, and then it is this process that ends. Ends with the
 * process that started it.
 */
export async function runGpuChild(): Promise<void> {
  let kernel: GpuKernel | undefined;
  // One after the other, whatever comes.
  let last: Promise<unknown> = Promise.resolve();
  process.on("message", (request: GpuRequest) => {
    last = last.then(async () => process.send?.(await answerTo(request)));
    last.catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : "It failed."}\n`);
      process.exit(1);
    });
  });
  await new Promise<void>((resolve) => process.once("disconnect", () => resolve()));

  async function answerTo(request: GpuRequest): Promise<GpuAnswer> {
    if (request.type === "open") return open(request);
    if (kernel === undefined) throw new Error("Nothing is open.");
    if (request.type === "begin") {
      await kernel.begin(request.keyA, request.seed);
      return { type: "begun" };
    }
    const bytes = await bytesOf(kernel, request);
    return { type: "bytes", bytes, tableRows: kernel.tableRows };
  }

  async function open({ type: _type, ...options }: Extract<GpuRequest, { type: "open" }>) {
    try {
      kernel = await openGpuKernel(await loadDawn(), options);
      const { label, tableRowsWanted } = kernel;
      return { type: "opened", label, tableRowsWanted } as const;
    } catch (error) {
      if (error instanceof NoGpu) return { type: "none", why: error.message } as const;
      throw error;
    }
  }
}

function bytesOf(
  kernel: GpuKernel,
  request: Exclude<GpuRequest, { type: "open" | "begin" }>,
): Promise<Uint8Array> {
  switch (request.type) {
    case "step":
      return kernel.step();
    case "leaf":
      return kernel.leafRows(request.leaf);
    case "pass":
      return kernel.pass(request.stream);
  }
}
