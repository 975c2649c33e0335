// Small pictures of running VMs' screens, for lists of VMs: one every few seconds a VM, however many look.
import type { VmId } from '../../../shared/ids.ts';
import type { Clock } from '../../platform/ports.ts';
import type { SmallFiles } from '../../platform/small-files.ts';
import type { QmpSession } from '../qmp/session.ts';
import { PICTURE_BYTES_MAX } from '../vm/ppm.ts';
import { THUMBNAIL_BYTES_MAX, thumbnailOf } from './thumbnail-png.ts';

/** For so long the same picture is shown again. */
export const FRESH_MS = 10_000;
const DUMP_TIMEOUT_MS = 5_000;

export interface ThumbnailPorts extends Pick<SmallFiles, 'bytesOf' | 'readWhole' | 'removeFile'> {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Null where the VM does not run, or cannot be reached. */
  readonly qmp: (vmId: VmId) => Pick<QmpSession, 'execute'> | null;
  readonly runFolder: (vmId: VmId) => string;
  readonly log: (line: string) => void;
}

interface Taken {
  readonly ofQmp: object;
  readonly atMs: number;
  readonly png: Promise<string | null>;
}

export class Thumbnails {
  readonly #ports: ThumbnailPorts;
  readonly #taken = new Map<VmId, Taken>();

  constructor(ports: ThumbnailPorts) {
    this.#ports = ports;
  }

  /** A PNG, base64; null where there is no screen to see. */
  of(vmId: VmId): Promise<string | null> {
    const qmp = this.#ports.qmp(vmId);
    if (qmp === null) {
      this.#taken.delete(vmId);
      return Promise.resolve(null);
    }
    const nowMs = this.#ports.clock.monotonicMs();
    const before = this.#taken.get(vmId);
    if (before?.ofQmp === qmp && nowMs - before.atMs < FRESH_MS) return before.png;
    const png = this.#take(vmId, qmp);
    this.#taken.set(vmId, { ofQmp: qmp, atMs: nowMs, png });
    return png;
  }

  async #take(vmId: VmId, qmp: Pick<QmpSession, 'execute'>): Promise<string | null> {
    const { runFolder, bytesOf, readWhole, removeFile, log } = this.#ports;
    const path = `${runFolder(vmId)}/thumbnail.ppm`;
    try {
      await qmp.execute('screendump', { filename: path }, DUMP_TIMEOUT_MS);
      const bytes = bytesOf(path) ?? 0;
      if (bytes === 0 || bytes > PICTURE_BYTES_MAX) return null;
      const png = thumbnailOf(readWhole(path));
      return png === null || png.length > THUMBNAIL_BYTES_MAX ? null : png.toString('base64');
    } catch (cause) {
      log(`vm ${vmId}: no small picture of its screen: ${String(cause)}`);
      return null;
    } finally {
      removeFile(path);
    }
  }
}
