// Plans exports of points (which disk, which file), and lets storage serve the point while exportPoint writes
// it.
import { basename, dirname, isAbsolute } from 'node:path';
import type { DiskId, MomentId, PointId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { ExportFormat } from '../../../shared/timeline.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import {
  type ExportPorts,
  exportFileName,
  exportPoint,
  isWritten,
  pathOf,
  type Unnamed,
} from './export-point.ts';
import { pointNamed } from './named-point.ts';
import { whilePointServed } from './served-point.ts';

export interface PointWriterPorts extends ExportPorts {
  readonly storage: StorageClient;
  /** Private, short, and new at every call. */
  readonly readerSocket: (vmId: VmId) => string;
  /** The folder of exports whose caller names no file; made when first needed. */
  readonly exportsFolder: () => string;
  readonly day: () => string;
}

export interface WantedExport {
  readonly vmId: VmId;
  readonly vmName: string;
  readonly momentId: MomentId;
  readonly diskId: DiskId | null;
  readonly format: ExportFormat;
  readonly path: string | null;
}

export interface PlannedExport extends Pick<WantedExport, 'vmId' | 'format'> {
  readonly path: string;
  readonly pointId: PointId;
}

export class PointWriter {
  readonly #ports: PointWriterPorts;

  constructor(ports: PointWriterPorts) {
    this.#ports = ports;
  }

  /** Refuses at once all that can be refused before the task begins. */
  async find(wanted: WantedExport): Promise<Unnamed<PlannedExport>> {
    const { vmId, vmName, format, path } = wanted;
    const { moments } = await this.#ports.storage.call('timeline.get', { vmId });
    const { moment, point } = pointNamed(moments, wanted, 'Nothing was written.');
    if (path !== null && !isAbsolute(path)) throw relative(path);
    const name = `${vmName} ${moment.name === '' ? 'point' : moment.name} ${this.#ports.day()}`;
    const own = () => ({ folder: this.#ports.exportsFolder(), fileName: exportFileName(name, format) });
    return { vmId, format, pointId: point.pointId, path: path ?? own() };
  }

  named(found: Unnamed<PlannedExport>, isBeingWritten: (path: string) => boolean): PlannedExport {
    return { ...found, path: pathOf(found, this.#ports, isBeingWritten) };
  }

  async write({ vmId, format, path, pointId }: PlannedExport, run: TaskRun): Promise<void> {
    const { storage, readerSocket } = this.#ports;
    if (isWritten(path, this.#ports, run)) return;
    const target = { folder: dirname(path), name: basename(path), format };
    await whilePointServed(storage, { vmId, pointId, socketPath: readerSocket(vmId) }, async point => {
      await exportPoint({ ...point, ...target, pointId }, this.#ports, run);
    });
    run.step(`written to ${path}`);
  }
}

const relative = (path: string): Fault =>
  new Fault({
    code: 'file.unreadable',
    what: `${path} does not say where it is.`,
    safe: 'Nothing was written.',
    todo: 'Give the whole path.',
  });
