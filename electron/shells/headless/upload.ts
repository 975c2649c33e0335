// Receives a file from a browser: streamed into the private upload folder, bounded by free disk, whole or not
// at all. Control registers complete files only; a broken upload leaves nothing.
import type { ErrorBody } from '../../../shared/errors.ts';
import { Fault } from '../../../shared/result.ts';
import { bytesText, GIB, MIB } from '../../../shared/units.ts';
import type { BlockFile, Folder } from '../../platform/ports.ts';

/** Disk that an upload leaves free for what VMs write meanwhile (T14 pauses them when it is gone). */
export const FREE_BYTES_MIN = GIB;
const CHECK_EVERY_BYTES = 64 * MIB;
const UPLOADS_MAX = 4;
const PARTIAL = /\.(\d+)\.part$/;

export interface Upload {
  readonly id: string;
  /** From Content-Length; null: the browser does not say. */
  readonly announcedBytes: number | null;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface UploadsOptions {
  readonly folder: Folder;
  /** This gateway's pid, which marks its partial files: several gateways may share the folder. */
  readonly pid: number;
  readonly isRunning: (pid: number) => boolean;
}

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #folder: Folder;
  #active = 0;

  constructor(options: UploadsOptions) {
    this.#options = options;
    this.#folder = options.folder;
  }

  /** Removes what killed gateways left half-received. Complete files belong to control. */
  async removePartial(): Promise<void> {
    const orphans = this.#folder.list().filter(name => {
      const pid = PARTIAL.exec(name)?.[1];
      return pid !== undefined && !this.#options.isRunning(Number(pid));
    });
    await Promise.all(orphans.map(name => this.#folder.unlink(name)));
  }

  /** Resolves with the complete file. Throws Fault disk.full, limit.reached, disk.io; then nothing is left. */
  async receive(upload: Upload): Promise<{ readonly path: string; readonly bytes: number }> {
    if (this.#active >= UPLOADS_MAX) throw new Fault(tooMany());
    this.#checkSpace(upload.announcedBytes ?? 0);
    const partial = `${upload.id}.${this.#options.pid}.part`;
    this.#active += 1;
    try {
      const bytes = await this.#store(partial, upload);
      this.#folder.rename(partial, upload.id);
      return { path: `${this.#folder.path}/${upload.id}`, bytes };
    } catch (error) {
      await this.#folder.unlink(partial);
      throw error;
    } finally {
      this.#active -= 1;
    }
  }

  async discard(id: string): Promise<void> {
    await this.#folder.unlink(id);
  }

  async #store(name: string, { body, announcedBytes }: Upload): Promise<number> {
    const file = this.#folder.open(name, 'create');
    try {
      const bytes = await this.#copy(file, body);
      if (announcedBytes !== null && bytes !== announcedBytes) throw new Fault(short(bytes, announcedBytes));
      await file.sync();
      return bytes;
    } finally {
      file.close();
    }
  }

  async #copy(file: BlockFile, body: AsyncIterable<Uint8Array>): Promise<number> {
    let bytes = 0;
    let checkAt = CHECK_EVERY_BYTES;
    for await (const chunk of body) {
      file.write(chunk, bytes);
      bytes += chunk.length;
      if (bytes < checkAt) continue;
      this.#checkSpace(0);
      checkAt = bytes + CHECK_EVERY_BYTES;
    }
    return bytes;
  }

  #checkSpace(wantedBytes: number): void {
    const freeBytes = this.#folder.freeBytes();
    if (freeBytes - wantedBytes < FREE_BYTES_MIN) throw new Fault(full(freeBytes, wantedBytes));
  }
}

const full = (freeBytes: number, wantedBytes: number): ErrorBody => ({
  code: 'disk.full',
  what: `The upload needs ${bytesText(wantedBytes)}; ${bytesText(freeBytes)} are free, of which ${bytesText(FREE_BYTES_MIN)} stay for running VMs.`,
  safe: 'Your file is untouched; what had arrived was removed.',
  todo: 'Free space on the disk of the data folder, then choose the file again.',
});

const short = (bytes: number, announced: number): ErrorBody => ({
  code: 'file.unreadable',
  what: `The upload ended after ${bytes} of ${announced} bytes.`,
  safe: 'Your file is untouched; what had arrived was removed.',
  todo: 'Choose the file again.',
});

const tooMany = (): ErrorBody => ({
  code: 'limit.reached',
  what: `${UPLOADS_MAX} uploads are under way.`,
  safe: 'They go on.',
  todo: 'Wait for one to end.',
});
