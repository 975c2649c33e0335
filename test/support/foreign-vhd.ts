// Foreign VHDs in a folder of their own, opened as the import's reader opens them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBlockFile } from '../../electron/platform/block-file.ts';
import { lookAtFile } from '../../electron/platform/vm-files.ts';
import { openChain } from '../../electron/storage/vhd/chain.ts';
import type { ForeignDisk } from '../../electron/storage/vhd/foreign-disk.ts';

export class VhdFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ebb-vhd-'));

  put(name: string, bytes: Uint8Array): string {
    writeFileSync(this.file(name), bytes);
    return this.file(name);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  open(name: string): ForeignDisk {
    return openChain(name, neighbour => {
      const found = lookAtFile(this.file(neighbour));
      return found === null ? null : openBlockFile(found.path, neighbour, 'read-only');
    });
  }

  /** The whole content, read in pieces of odd sizes. */
  content(name: string): Buffer {
    const disk = this.open(name);
    try {
      const whole = Buffer.alloc(disk.sizeBytes, 0xcc);
      const piece = 512 * 4099;
      for (let at = 0; at < whole.length; at += piece)
        disk.read(whole.subarray(at, Math.min(whole.length, at + piece)), at);
      return whole;
    } finally {
      disk.close();
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
