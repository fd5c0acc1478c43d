/** Written by the formats that these tools have on the named systems, not recorded. */
export const hidIdle = (ms: number) => `+-o Root  <class IORegistryEntry, id 0x100000100, retain 31>
  +-o IOHIDSystem  <class IOHIDSystem, id 0x1000005ca, registered, matched, active, busy 0 (10 ms), retain 27>
    | {
    |   "IOClass" = "IOHIDSystem"
    |   "HIDIdleTime" = ${ms * 1_000_000}
    |   "HIDParameters" = {"HIDClickTime"=500000000,"HIDIdleTimeDelta"=1}
    | }
`;

export const appleM1 = (
  loadPercent: number,
) => `+-o AGXAcceleratorG13X  <class AGXAcceleratorG13X, id 0x10000042f, registered, matched, active, busy 0 (56 ms), retain 103>
    {
      "model" = "Apple M1 Pro"
      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Alloc system memory"=2147483648,"Tiler Utilization %"=3,"recoveryCount"=0,"Renderer Utilization %"=4,"Device Utilization %"=${loadPercent},"In use system memory"=512000000}
      "gpu-core-count" = 16
    }
`;

/** An Intel Mac with two: macOS 12. */
export const intelMac = `+-o IntelAccelerator  <class IntelAccelerator, id 0x100000484, registered, matched, active, busy 0 (137 ms), retain 88>
    {
      "PerformanceStatistics" = {"Device Utilization %"=2,"Device Utilization % at cur p-state"=9}
    }

+-o AMDRadeonX6000_AMDNavi14GraphicsAccelerator  <class AMDRadeonX6000_AMDNavi14GraphicsAccelerator, id 0x1000004c8, registered, matched, active, busy 0 (3 ms), retain 61>
    {
      "PerformanceStatistics" = {"GPU Activity(%)"=71,"vramUsedBytes"=1073741824,"vramFreeBytes"=3221225472}
      "VRAM,totalMB" = 4096
      "model" = <"AMD Radeon Pro 5300M">
    }
`;

export const onAc =
  "Now drawing from 'AC Power'\n -InternalBattery-0 (id=21299299)\t93%; charging; 0:32 remaining present: true\n";
export const onBattery =
  "Now drawing from 'Battery Power'\n -InternalBattery-0 (id=21299299)\t88%; discharging; 5:11 remaining present: true\n";
export const desktopMac = "Now drawing from 'AC Power'\n";
