/** Engines, by the names that their processes have on a GPU. A Python that runs vLLM renames itself. */
const ENGINES = [
  /(^|[\\/])ollama(_llama_server|-runner)?(\.exe)?$/i,
  /(^|[\\/])ollama(\.exe)?["']? runner/i,
  /(^|[\\/])llama[-_](server|cpp)[\w.-]*$/i,
  /(^|[\\/])(lm[ -]?studio|llmworker|llmster)[\w .-]*$/i,
  /vllm/i,
];

/** What draws on a GPU wherever somebody has logged in, whether or not the person is there. */
const DESKTOP: ReadonlySet<string> = new Set([
  "xorg",
  "xwayland",
  "gnome-shell",
  "kwin_wayland",
  "kwin_x11",
  "plasmashell",
  "mutter-x11-frames",
  "sway",
  "hyprland",
  "dwm.exe",
  "csrss.exe",
  "explorer.exe",
  "searchhost.exe",
  "searchapp.exe",
  "startmenuexperiencehost.exe",
  "shellexperiencehost.exe",
  "textinputhost.exe",
  "applicationframehost.exe",
  "lockapp.exe",
  "systemsettings.exe",
  "widgets.exe",
  "phoneexperiencehost.exe",
  "nvidia overlay.exe",
  "nvidia share.exe",
  "windowserver",
  "system",
]);

/** The last part of a path, without arguments; `C:\Games\game.exe` is `game.exe`. */
export function programName(name: string): string {
  const path = /^(?:[A-Za-z]:)?[\\/]/.test(name) ? name : (name.split(" --")[0] ?? name);
  return path.split(/[\\/]/).at(-1)?.trim() || name;
}

export function isEngineProgram(name: string): boolean {
  return ENGINES.some((pattern) => pattern.test(name));
}

/** `program`: in lower case, as `programName` cuts it. */
export function isDesktopProgram(program: string): boolean {
  return DESKTOP.has(program);
}
