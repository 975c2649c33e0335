// Moments as people take and go back to them: the points of all disks, and what control keeps beside them.
import { configurationOf } from '../../../shared/configuration.ts';
import type { MomentId, VmId } from '../../../shared/ids.ts';
import type { Consistency } from '../../../shared/moment-extras.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment, MomentKind } from '../../../shared/timeline.ts';
import { bytesText, kibToBytes } from '../../../shared/units.ts';
import type { SmallFiles } from '../../platform/small-files.ts';
import type { StorageClient } from '../../storage/client.ts';
import { SPARE_BYTES } from '../disk-room.ts';
import type { Machines } from '../machines/machines.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import type { RunRecord } from '../vm/run-record.ts';
import type { Draft } from './extras.ts';
import { firstPoint, type GoBackPorts, GoingBack } from './going-back.ts';
import { pngOf, SCREEN_BYTES_MAX } from './png.ts';

export interface MomentDeskPorts
  extends Omit<GoBackPorts, 'machines' | 'storage' | 'keepPresent'>,
    Pick<SmallFiles, 'bytesOf' | 'readWhole'> {
  readonly machines: Machines;
  readonly storage: StorageClient;
  readonly freeBytes: () => number;
  readonly runFolder: (vmId: VmId) => string;
}

export interface NewMoment {
  readonly vmId: VmId;
  readonly name: string;
  readonly note: string;
  readonly kind: MomentKind;
}

export class MomentDesk {
  readonly #ports: MomentDeskPorts;

  readonly goingBack: GoingBack;

  constructor(ports: MomentDeskPorts) {
    this.#ports = ports;
    this.goingBack = new GoingBack({
      ...ports,
      keepPresent: (moment, draft, vmId) =>
        this.#keep(moment, draft, { vmId, hasScreen: false, consistency: 'off', record: null }),
    });
  }

  /** Takes points of all disks at one barrier; with `run` also the guest's memory. */
  async take(wanted: NewMoment, run: Pick<TaskRun, 'signal' | 'step'> | null): Promise<Moment> {
    const { machines, storage, shelf } = this.#ports;
    const { vmId } = wanted;
    await this.goingBack.finish(vmId);
    const supervisor = machines.supervisor(vmId);
    const saved = supervisor.savedRecord();
    if (run !== null && saved === null) this.#requireRoom(vmId);
    const draft = shelf.draft(vmId);
    try {
      if (saved !== null) shelf.linkSaved(vmId, draft);
      const hasScreen = await this.#screen(vmId, draft.screenPath);
      const memory =
        run === null || saved !== null
          ? null
          : { memoryPath: draft.memoryPath, signal: run.signal, onStep: run.step };
      const taken = await supervisor.take(memory, async () => {
        const moment = await storage.call('moment.take', wanted);
        shelf.copyState(vmId, draft);
        return moment;
      });
      const consistency = saved === null ? taken.consistency : 'memory';
      return this.#keep(taken.value, draft, { vmId, hasScreen, consistency, record: taken.record ?? saved });
    } catch (cause) {
      shelf.drop(draft);
      throw cause;
    }
  }

  #keep(
    moment: Moment,
    draft: Draft,
    told: { vmId: VmId; hasScreen: boolean; consistency: Consistency; record: RunRecord | null },
  ): Moment {
    const { shelf, machines, bytesOf } = this.#ports;
    const { vmId, ...extras } = told;
    const memoryBytes = bytesOf(draft.memoryPath);
    const spec = machines.spec(vmId);
    const pointId = moment.points[0]?.pointId;
    if (pointId === undefined) return moment;
    shelf.keep(vmId, pointId, draft, { ...extras, memoryBytes, spec });
    const { record: _, ...shown } = extras;
    return { ...moment, extras: { ...shown, memoryBytes, configuration: configurationOf(spec) } };
  }

  #requireRoom(vmId: VmId): void {
    const needs = kibToBytes(this.#ports.machines.spec(vmId).maxKib) + SPARE_BYTES;
    const free = this.#ports.freeBytes();
    if (free >= needs) return;
    throw new Fault({
      code: 'disk.full',
      what: `Saving its memory may take ${bytesText(needs)}; ${bytesText(free)} are free.`,
      safe: 'No point was taken; the VM runs on.',
      todo: 'Take the point without memory, or make room first.',
    });
  }

  /** Writes a picture of the VM's screen now to `path`; false: there is none. */
  async #screen(vmId: VmId, path: string): Promise<boolean> {
    const reached = this.#ports.machines.supervisor(vmId).reached();
    if (reached === null) return false;
    try {
      await reached.qmp.execute('screendump', { filename: path, format: 'png' });
      const bytes = this.#ports.bytesOf(path) ?? 0;
      if (bytes > 0 && bytes <= SCREEN_BYTES_MAX) return true;
    } catch (cause) {
      this.#ports.log(`vm ${vmId}: no picture of its screen: ${String(cause)}`);
    }
    this.#ports.removeFile(path);
    return false;
  }

  /** A PNG of a running VM's screen, base64; null where there is none. */
  async screenNow(vmId: VmId): Promise<string | null> {
    const path = `${this.#ports.runFolder(vmId)}/screen.png`;
    if (!(await this.#screen(vmId, path))) return null;
    const png = this.#png(path);
    this.#ports.removeFile(path);
    return png;
  }

  async screenAt(vmId: VmId, momentId: MomentId): Promise<string | null> {
    const { storage, shelf } = this.#ports;
    const { moments } = await storage.call('timeline.get', { vmId });
    return this.#png(shelf.screenPath(vmId, firstPoint(moments, momentId)));
  }

  #png(path: string): string | null {
    const bytes = this.#ports.bytesOf(path) ?? 0;
    if (bytes === 0 || bytes > SCREEN_BYTES_MAX) return null;
    return pngOf(this.#ports.readWhole(path));
  }

  /** Removes what was kept beside points that are gone. */
  async sweep(vmId: VmId): Promise<void> {
    await this.#ports.shelf.sweep(await this.#ports.storage.call('timeline.get', { vmId }));
  }
}
