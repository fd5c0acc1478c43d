import { GpuLabel } from "#protocol/heartbeat";
import type { Gpu } from "./readings";

/** What others may know of a GPU; a fact that does not fit the protocol is left out. */
export function gpuLabel({ name, driver, vramTotalMib, vramFreeMib }: Gpu): GpuLabel {
  const { shape } = GpuLabel;
  const named = shape.name.safeParse(name);
  return {
    name: named.success ? named.data : "GPU",
    ...fitting("driver", shape.driver.safeParse(driver)),
    ...fitting("vram_total_mib", shape.vram_total_mib.safeParse(vramTotalMib)),
    ...fitting("vram_free_mib", shape.vram_free_mib.safeParse(vramFreeMib)),
  };
}

function fitting<Name extends string, Value>(
  name: Name,
  parsed: { readonly data?: Value | undefined },
): { readonly [Key in Name]?: Value } {
  // Sound: the object has this one field.
  return parsed.data === undefined ? {} : ({ [name]: parsed.data } as { [Key in Name]: Value });
}
