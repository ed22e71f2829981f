// The disk under a folder: where it is mounted, and whether it is full.
import { readFileSync, realpathSync, statfsSync } from 'node:fs';

/** Below this PostgreSQL, the spool and the logs begin to fail. */
const leastBytes = 32 * 1024 * 1024;

export interface Disk {
  mountPoint: string;
  freeBytes: number;
}

/** The disk that a folder is on. */
export function diskOf(folder: string): Disk {
  const { bavail, bsize } = statfsSync(folder);
  return { mountPoint: mountPointOf(realpathSync(folder), mountPoints()), freeBytes: bavail * bsize };
}

/** Names the disks under these folders that are full, each once. A folder that is not there has none. */
export function fullDisks(folders: readonly string[], look = diskOf): string[] {
  const full = new Set<string>();
  for (const folder of folders) {
    const disk = diskIfThere(folder, look);
    if (disk === undefined || disk.freeBytes >= leastBytes) continue;
    full.add(`the disk at ${disk.mountPoint} is full (${Math.floor(disk.freeBytes / 1024 / 1024)} MB left)`);
  }
  return [...full];
}

function diskIfThere(folder: string, look: typeof diskOf): Disk | undefined {
  try {
    return look(folder);
  } catch {
    return undefined;
  }
}

/** The longest mount point that the path is under. Pure. */
export function mountPointOf(path: string, mountPoints: readonly string[]): string {
  const above = mountPoints.filter(
    (point) => point === '/' || path === point || path.startsWith(`${point}/`),
  );
  return above.toSorted((a, b) => b.length - a.length)[0] ?? '/';
}

/** From /proc/self/mountinfo, whose fifth field has blanks as \040. */
function mountPoints(): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return lines.map((line) =>
    (line.split(' ')[4] ?? '/').replaceAll(/\\(\d{3})/g, (_all, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    ),
  );
}
