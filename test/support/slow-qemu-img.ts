// The real qemu-img, and while it is told so at a rate at which a copy is still under way when a test does something to
// it. First on the PATH of every service that is started while it is there.
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SlowQemuImg {
  /** From the next copy on. */
  slow(isSlow: boolean): void;
  remove(): void;
}

export function slowQemuImg(): SlowQemuImg {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-slow-'));
  const mark = join(folder, 'slow');
  const path = process.env.PATH ?? '';
  const real = execFileSync('sh', ['-c', 'command -v qemu-img']).toString().trim();
  const script = `#!/bin/sh
if [ "$1" = convert ] && [ -e ${mark} ]; then shift; exec ${real} convert -r 1M "$@"; fi
exec ${real} "$@"
`;
  writeFileSync(join(folder, 'qemu-img'), script);
  chmodSync(join(folder, 'qemu-img'), 0o755);
  process.env.PATH = `${folder}:${path}`;
  return {
    slow: isSlow => {
      if (isSlow) writeFileSync(mark, '');
      else rmSync(mark, { force: true });
    },
    remove: () => {
      process.env.PATH = path;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
