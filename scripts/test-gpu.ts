// Runs tests/gpu on this machine's Vulkan. Where there is none, on Debian 12, on Mesa's software Vulkan: it is fetched into
// .cache/mesa and installed nowhere. usage: npm run test:gpu
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runStep } from "#support/run-step";
import { startVitest } from "#support/vitest-process";

const FOLDER = join(import.meta.dirname, "..", ".cache", "mesa");
const ROOT = join(FOLDER, "root");
const LIBRARIES = join(ROOT, "usr", "lib", "x86_64-linux-gnu");
const DRIVER = join(FOLDER, "lavapipe.json");
/** Debian 12's own Mesa is too old for Dawn. */
const SUITES = ["bookworm", "bookworm-backports"];
const PACKAGES = ["mesa-vulkan-drivers", "libvulkan1"];

try {
  const env = existsSync("/usr/share/vulkan/icd.d") ? {} : await softwareVulkan();
  const vitest = startVitest(
    ["--config", "tests/gpu/vitest.config.ts", ...process.argv.slice(2)],
    env,
  );
  process.exitCode = await vitest.exitCode;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function softwareVulkan(): Promise<Record<string, string>> {
  if (!existsSync(DRIVER)) await fetchMesa();
  return { LD_LIBRARY_PATH: LIBRARIES, VK_DRIVER_FILES: DRIVER };
}

async function fetchMesa(): Promise<void> {
  if (Bun.which("apt-get") === null || process.arch !== "x64") {
    throw new Error("There is no Vulkan on this machine. Install a driver, or Mesa's lavapipe.");
  }
  const [lists, archives] = [join(FOLDER, "lists"), join(FOLDER, "cache", "archives")];
  for (const folder of [join(lists, "partial"), join(archives, "partial"), ROOT]) {
    await mkdir(folder, { recursive: true });
  }
  const sources = join(FOLDER, "sources.list");
  const keyring = "signed-by=/usr/share/keyrings/debian-archive-keyring.gpg";
  const lines = SUITES.map(
    (suite) => `deb [${keyring}] http://deb.debian.org/debian ${suite} main\n`,
  );
  await writeFile(sources, lines.join(""));
  const apt = [
    "apt-get",
    `-oDir::Etc::sourcelist=${sources}`,
    "-oDir::Etc::sourceparts=/dev/null",
    `-oDir::State::Lists=${lists}`,
    `-oDir::Cache=${join(FOLDER, "cache")}`,
  ];
  const logPath = join(FOLDER, "fetch.log");
  await runStep("reading Debian's lists", [...apt, "update"], { logPath });
  const get = ["--yes", "--no-install-recommends", "--download-only", "-t", "bookworm-backports"];
  await runStep("fetching Mesa", [...apt, ...get, "install", ...PACKAGES], { logPath });
  const unpack = `for package in "$1"/*.deb; do dpkg -x "$package" "$2" || exit 1; done`;
  await runStep("unpacking it", ["sh", "-c", unpack, "sh", archives, ROOT], { logPath });
  const own = await readFile(join(ROOT, "usr/share/vulkan/icd.d/lvp_icd.json"), "utf8");
  await writeFile(DRIVER, own.replace('"library_path": "', `"library_path": "${LIBRARIES}/`));
}
