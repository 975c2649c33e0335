// Writes what differs between two points as a differencing VHD: one Ebb publishes an update, another applies
// it (delta-import.ts), and other programs open it with its parent beside it. Storage writes some megabytes
// at a call, so that the export can be cancelled at any time. The file gets its name when it is whole and
// durable.
import { basename, dirname, isAbsolute } from 'node:path';
import type { DiskId, MomentId, PointId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { StorageClient } from '../../storage/client.ts';
import { IMAGE_SPARE_BYTES } from '../disk-room.ts';
import type { Step, TaskRun } from '../tasks/tasks.ts';
import {
  checkFree,
  checkTarget,
  type ExportPorts,
  exportFileName,
  giveName,
  isWritten,
  pathOf,
  type Unnamed,
} from './export-point.ts';

/** What one call reads: some tens of milliseconds on a disk that is not slow. */
const BUDGET_BYTES = 32 * 2 ** 20;

export interface DeltaExportPorts extends ExportPorts {
  readonly storage: StorageClient;
  readonly exportsFolder: () => string;
}

export interface WantedDeltaExport {
  readonly vmId: VmId;
  readonly vmName: string;
  readonly fromId: MomentId;
  readonly toId: MomentId;
  readonly diskId: DiskId | null;
  readonly path: string | null;
}

export interface PlannedDeltaExport {
  readonly vmId: VmId;
  readonly from: PointId;
  readonly to: PointId;
  readonly path: string;
}

export class DeltaExporter {
  readonly #ports: DeltaExportPorts;

  constructor(ports: DeltaExportPorts) {
    this.#ports = ports;
  }

  /** Refuses at once all that can be refused before the task begins. */
  async find(wanted: WantedDeltaExport): Promise<Unnamed<PlannedDeltaExport>> {
    const { vmId, vmName, fromId, toId, diskId, path } = wanted;
    const { storage, exportsFolder } = this.#ports;
    const { moments } = await storage.call('timeline.get', { vmId });
    const [from, to] = [fromId, toId].map(id => moments.find(moment => moment.id === id));
    if (from === undefined || to === undefined) throw noSuch('moment.not-found', 'There is no such point.');
    if (from === to) throw noSuch('moment.not-found', 'A point does not differ from itself.');
    const newer = to.points.find(
      row =>
        (diskId === null || row.diskId === diskId) && from.points.some(other => other.diskId === row.diskId),
    );
    const older = from.points.find(row => row.diskId === newer?.diskId);
    if (newer === undefined || older === undefined)
      throw noSuch('disk.not-found', 'The two points have no such disk in common.');
    if (path !== null && !isAbsolute(path))
      throw noSuch('file.unreadable', `${path} does not say where it is.`, 'Give the whole path.');
    if (path !== null) checkTarget(path, this.#ports);
    const fileName = exportFileName(`${vmName} ${from.name} to ${to.name}`, 'vhd');
    const target = path ?? { folder: exportsFolder(), fileName };
    return { vmId, from: older.pointId, to: newer.pointId, path: target };
  }

  named(found: Unnamed<PlannedDeltaExport>, isBeingWritten: (path: string) => boolean): PlannedDeltaExport {
    return { ...found, path: pathOf(found, this.#ports, isBeingWritten) };
  }

  /** Faults: disk.full, disk.io, file.unreadable, moment.not-found. */
  async write(planned: PlannedDeltaExport, run: TaskRun): Promise<void> {
    const { path } = planned;
    const { remove, unfinished } = this.#ports;
    if (isWritten(path, this.#ports, run)) return;
    const part = checkTarget(path, this.#ports);
    await this.#checkRoom(planned, dirname(part), run.step);
    unfinished.begin(part);
    try {
      await run.gate.pausable(() => this.#fill(planned, part, run));
      await giveName(part, path, this.#ports, run);
    } catch (cause) {
      remove(part);
      throw cause;
    } finally {
      unfinished.end(part);
    }
    run.step(`written to ${basename(path)}`);
  }

  /** T14: before the first byte. What differs is measured only where there is no room for the whole disk. */
  async #checkRoom({ vmId, from, to }: PlannedDeltaExport, folder: string, step: Step): Promise<void> {
    const { storage, freeBytes } = this.#ports;
    const { moments } = await storage.call('timeline.get', { vmId });
    const of = (id: PointId) => moments.find(({ points }) => points.some(({ pointId }) => pointId === id));
    const [older, newer] = [of(from), of(to)];
    const point = newer?.points.find(({ pointId }) => pointId === to);
    // A point is gone meanwhile: storage says so when it is to read it.
    if (older === undefined || newer === undefined || point === undefined) return;
    if ((freeBytes(folder) ?? 0) >= point.virtualBytes + IMAGE_SPARE_BYTES) return;
    step('measuring what differs');
    const compared = { vmId, fromId: older.id, toId: newer.id };
    const { disks } = await storage.call('moment.compare', compared);
    const found = disks.find(({ diskId }) => diskId === point.diskId);
    checkFree(folder, found?.difference.bytes ?? 0, this.#ports);
  }

  async #fill({ vmId, from, to }: PlannedDeltaExport, part: string, { step, gate }: TaskRun): Promise<void> {
    const { storage } = this.#ports;
    const order = { vmId, fromId: from, toId: to, path: part, budgetBytes: BUDGET_BYTES };
    for (
      let cursor: { block: number; writtenBytes: number } | null = null, isFirst = true;
      isFirst || cursor !== null;
      isFirst = false
    ) {
      await gate.passed();
      // T14: guests need what is kept free: checked at each call, however long the export takes.
      checkFree(dirname(part), BUDGET_BYTES, this.#ports);
      const told: Awaited<ReturnType<typeof storage.call<'delta.some'>>> = await storage.call('delta.some', {
        ...order,
        cursor,
      });
      cursor = told.cursor;
      step('writing what differs', { done: told.doneBytes, total: told.totalBytes });
    }
  }
}

const noSuch = (
  code: 'moment.not-found' | 'disk.not-found' | 'file.unreadable',
  what: string,
  todo = 'Look at the timeline again.',
): Fault => new Fault({ code, what, safe: 'Nothing was written.', todo });
