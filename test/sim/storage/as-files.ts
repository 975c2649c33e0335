// Copies a simulated folder to a real disk, for programs that can only read real files.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Folder } from '../../../electron/platform/ports.ts';

export async function withFiles<T>(folder: Folder, use: (path: string) => T | Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'ebb-t-files-'));
  try {
    for (const name of folder.list()) {
      const file = folder.open(name, 'read-only');
      const bytes = new Uint8Array(file.sizeBytes());
      file.read(bytes, 0);
      writeFileSync(join(path, name), bytes);
    }
    return await use(path);
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
