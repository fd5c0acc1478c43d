/** Renderers that run on the CPU, where this program has a faster way. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|softpipe|software|basic render|null/i;

export type AdapterFacts = Pick<
  GPUAdapterInfo,
  "vendor" | "architecture" | "device" | "description" | "isFallbackAdapter"
>;

/** Why an adapter is not used. What it says of itself can only keep it out: nothing is believed to its advantage. */
export function refusalOf(info: AdapterFacts, allowSoftware: boolean): string | undefined {
  const said = [info.vendor, info.architecture, info.device, info.description].join(" ");
  if (allowSoftware) return undefined;
  if (info.isFallbackAdapter || SOFTWARE.test(said)) return "it is a program and no device";
  return undefined;
}

export function labelOf({ description, device, vendor }: AdapterFacts): string {
  return [description, device, vendor].find((text) => text !== "") ?? "a GPU";
}
