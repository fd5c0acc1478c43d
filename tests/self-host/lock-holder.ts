// usage: bun lock-holder.ts FOLDER
// Locks the folder, says so, and keeps the lock until it is killed or its stdin ends.
import { lockFolder } from "#self-host/data-lock";

lockFolder(process.argv[2] ?? "");
// A lock is held by its process, not by whoever still refers to it.
Bun.gc(true);
process.stdout.write("locked\n");
await Bun.stdin.text();
