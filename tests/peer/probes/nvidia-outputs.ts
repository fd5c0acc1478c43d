import type { Script } from "./scripted-machine";

/**
 * What `nvidia-smi --query-gpu=name,driver_version,utilization.gpu,memory.total,memory.free,temperature.gpu` and
 * `--query-compute-apps=pid,process_name,used_memory` print with `--format=csv,noheader,nounits`. Written by the format
 * that each driver's manual documents, not recorded.
 */
export const NVIDIA = {
  driver470OneGpuIdle: {
    gpus: "NVIDIA GeForce GTX 1080 Ti, 470.256.02, 0, 11178, 10871, 38\n",
    apps: "",
  },
  driver535TwoGpusOllama: {
    gpus:
      "NVIDIA GeForce RTX 3090, 535.183.01, 97, 24576, 3120, 71\n" +
      "NVIDIA GeForce RTX 3060, 535.183.01, 2, 12288, 11904, 41\n",
    apps: "20871, /usr/lib/ollama/ollama_llama_server, 20842\n",
  },
  driver550Vllm: {
    gpus: "NVIDIA GeForce RTX 4090, 550.120, 64, 24564, 1210, 66\n",
    apps: "3120, python3, 22680\n1204, /usr/lib/xorg/Xorg, 96\n",
  },
  /** With the display driver model WDDM, memory by process is not told. */
  driver566WindowsWddmGame: {
    gpus: "NVIDIA GeForce RTX 4070, 566.36, 96, 12282, 5120, 74\r\n",
    apps:
      "1512, C:\\Windows\\System32\\dwm.exe, [N/A]\r\n" +
      "7788, C:\\Windows\\explorer.exe, [N/A]\r\n" +
      "9920, D:\\SteamLibrary\\steamapps\\common\\Game, The\\game.exe, [N/A]\r\n",
  },
  /** Load is not told while a GPU is split. */
  driver570MigH100: {
    gpus: "NVIDIA H100 80GB HBM3, 570.124.06, [N/A], 81559, 61320, 44\n",
    apps: "5511, /opt/vllm/bin/VLLM::EngineCore, 18840\n5512, python3, 940\n",
  },
  /** Of other users' programs only the number is told. */
  driver535NoPermission: {
    gpus: "NVIDIA RTX A4000, 535.183.01, 12, 16376, 9000, 52\n",
    apps: "4100, [Insufficient Permissions], [N/A]\n",
  },
  driver560Container: {
    gpus: "NVIDIA L4, 560.35.05, 88, 23034, 4000, 60\n",
    apps: "1, [Not Found], 18000\n",
  },
  driver418OldTesla: {
    gpus: "Tesla K80, 418.226.00, 0, 11441, 11438, 33\nTesla K80, 418.226.00, [Not Supported], 11441, 11438, [Unknown Error]\n",
    apps: "",
  },
} as const;

/** What `nvidia-smi pmon -c 1 -s u` prints. */
export const PMON = {
  driver470: `# gpu        pid  type    sm   mem   enc   dec   command
# Idx          #   C/G     %     %     %     %   name
    0       2210     G     2     1     -     -   Xorg
    0       8801     G    61    20     -     -   My Game.x86_64
    0      20871     C    91    60     -     -   ollama_llama_se
`,
  driver550: `# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command
# Idx           #    C/G      %      %      %      %      %      %    name
    0      20871     C     35     60      -      -      -      -    ollama_llama_se
    0       8801   C+G      -      -      -      -      -      -    game
    1          -      -      -      -      -      -      -      -    -
`,
} as const;

export const NVIDIA_GARBAGE = [
  "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n",
  "name, driver_version, utilization.gpu [%], memory.total [MiB]\n",
  "NVIDIA L4, 560.35.05, many, 23034, 4000, 60\n",
  "\u0000\u0001\u0002\n",
];

export type NvidiaOutput = { readonly gpus: string; readonly apps: string };

const GPUS =
  "nvidia-smi --query-gpu=name,driver_version,utilization.gpu,memory.total,memory.free,temperature.gpu";
const APPS = "nvidia-smi --query-compute-apps=pid,process_name,used_memory";

export function nvidiaTools({ gpus, apps }: NvidiaOutput): NonNullable<Script["tools"]> {
  return { [GPUS]: gpus, [APPS]: apps };
}
