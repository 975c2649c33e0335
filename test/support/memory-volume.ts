// A Volume in memory for tests of the NBD server: remembers what a flush covered, can be told to fail or to wait.

import type { Volume, VolumeExtent } from '../../electron/storage/volume.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';

const UNIT = 4096;

export class MemoryVolume implements Volume {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly bytes: Buffer;
  flushes = 0;
  /** Set: every data call throws this. */
  failWith: ErrorCode | 'bug' | null = null;
  /** Set: flushes wait for it. */
  gate: Promise<void> | null = null;

  constructor(sizeBytes: number, readOnly = false) {
    this.sizeBytes = sizeBytes;
    this.readOnly = readOnly;
    this.bytes = Buffer.alloc(sizeBytes);
  }

  read(target: Uint8Array, offsetBytes: number): void {
    this.#check(offsetBytes, target.length);
    target.set(this.bytes.subarray(offsetBytes, offsetBytes + target.length));
  }

  /** What was asked first need not be there first. */
  async readLater(target: Uint8Array, offsetBytes: number): Promise<void> {
    for (let turns = (offsetBytes / 512) % 4; turns > 0; turns--)
      await new Promise(resolve => setImmediate(resolve));
    this.read(target, offsetBytes);
  }

  write(source: Uint8Array, offsetBytes: number): void {
    this.#check(offsetBytes, source.length);
    this.bytes.set(source, offsetBytes);
  }

  zero(offsetBytes: number, lengthBytes: number): void {
    this.#check(offsetBytes, lengthBytes);
    this.bytes.fill(0, offsetBytes, offsetBytes + lengthBytes);
  }

  trim(offsetBytes: number, lengthBytes: number): void {
    this.zero(offsetBytes, lengthBytes);
  }

  async flush(): Promise<void> {
    await this.gate;
    this.#check(0, 512);
    this.flushes += 1;
  }

  extents(offsetBytes: number, lengthBytes: number, limit: number): VolumeExtent[] {
    const found: { length: number; state: 'data' | 'zero' }[] = [];
    for (let at = offsetBytes; at < offsetBytes + lengthBytes; ) {
      const length = Math.min(UNIT - (at % UNIT), offsetBytes + lengthBytes - at);
      const state = this.bytes.subarray(at, at + length).some(byte => byte !== 0) ? 'data' : 'zero';
      const last = found.at(-1);
      if (last?.state === state) last.length += length;
      else if (found.length === limit) break;
      else found.push({ length, state });
      at += length;
    }
    return found;
  }

  #check(offsetBytes: number, lengthBytes: number): void {
    if (offsetBytes % 512 !== 0 || lengthBytes % 512 !== 0 || offsetBytes + lengthBytes > this.sizeBytes) {
      throw new Error(`the server let ${offsetBytes}+${lengthBytes} through`);
    }
    if (this.failWith === 'bug') throw new Error('a planted bug');
    if (this.failWith !== null) {
      throw new Fault({ code: this.failWith, what: 'a planted fault', safe: '', todo: '' });
    }
  }
}
