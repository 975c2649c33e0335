// Moments as people take and go back to them: the points of all disks, and what control keeps beside them.
import type { MomentId, PointId, VmId } from '../../../shared/ids.ts';
import type { Consistency } from '../../../shared/moment-extras.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment, MomentKind, Timeline } from '../../../shared/timeline.ts';
import { amountText, bytesToKib } from '../../../shared/units.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { Machines } from '../machines.ts';
import type { Step, TaskRun } from '../tasks.ts';
import type { RunRecord } from '../vm/run-record.ts';
import { type Draft, type ExtrasShelf, fits } from './extras.ts';
import { pngOf, SCREEN_BYTES_MAX } from './png.ts';

/** Kept free on the host's disk (T14). */
const SPARE_BYTES = 64 * 2 ** 20;

export interface MomentDeskPorts {
  readonly machines: Machines;
  readonly storage: StorageClient;
  readonly shelf: ExtrasShelf;
  readonly freeBytes: () => number;
  /** Null where there is no such file. */
  readonly bytesOf: (path: string) => number | null;
  readonly readFile: (path: string) => Uint8Array;
  readonly removeFile: (path: string) => void;
  readonly runFolder: (vmId: VmId) => string;
  readonly log: (line: string) => void;
}

export interface NewMoment {
  readonly vmId: VmId;
  readonly name: string;
  readonly note: string;
  readonly kind: MomentKind;
}

export class MomentDesk {
  readonly #ports: MomentDeskPorts;

  constructor(ports: MomentDeskPorts) {
    this.#ports = ports;
  }

  /** All disks at one barrier; with `run` also what the guest has in memory. */
  async take(wanted: NewMoment, run: Pick<TaskRun, 'signal' | 'step'> | null): Promise<Moment> {
    const { machines, storage, shelf } = this.#ports;
    const { vmId } = wanted;
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
    return { ...moment, extras: { ...shown, memoryBytes } };
  }

  #requireRoom(vmId: VmId): void {
    const needs = this.#ports.machines.spec(vmId).maxKib * 1024 + SPARE_BYTES;
    const free = this.#ports.freeBytes();
    if (free >= needs) return;
    throw new Fault({
      code: 'disk.full',
      what: `Saving its memory may take ${amountText(bytesToKib(needs))}; ${amountText(bytesToKib(free))} are free.`,
      safe: 'No point was taken; the VM runs on.',
      todo: 'Take the point without memory, or make room first.',
    });
  }

  /** Of its screen now; false where it shows none. */
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
    const pointId = await this.#pointOf(vmId, momentId);
    return this.#png(this.#ports.shelf.screenPath(vmId, pointId));
  }

  #png(path: string): string | null {
    const bytes = this.#ports.bytesOf(path) ?? 0;
    if (bytes === 0 || bytes > SCREEN_BYTES_MAX) return null;
    return pngOf(this.#ports.readFile(path));
  }

  async #pointOf(vmId: VmId, momentId: MomentId): Promise<PointId> {
    const { moments } = await this.#ports.storage.call('timeline.get', { vmId });
    const pointId = moments.find(({ id }) => id === momentId)?.points[0]?.pointId;
    if (pointId !== undefined) return pointId;
    throw new Fault({
      code: 'moment.not-found',
      what: 'There is no such point any more.',
      safe: 'Nothing was changed.',
      todo: 'Look at the history again.',
    });
  }

  /** T7. True: its memory waits to be resumed (L4); without `resume` the VM is off, as after a power cut. */
  async goBack(
    {
      vmId,
      momentId,
      keepName,
      resume,
    }: { vmId: VmId; momentId: MomentId; keepName: string; resume: boolean },
    step: Step,
  ): Promise<boolean> {
    const { machines, storage, shelf } = this.#ports;
    const pointId = await this.#pointOf(vmId, momentId);
    const before = await storage.call('timeline.get', { vmId });
    await machines.goBack(vmId, momentId, keepName, step);
    this.#keepPresent(before, await storage.call('timeline.get', { vmId }));
    shelf.restoreState(vmId, pointId);
    const kept = shelf.get(vmId, pointId);
    if (!resume || kept?.record == null || !fits(kept.spec, machines.spec(vmId))) return false;
    step('bringing back its memory');
    machines.supervisor(vmId).placeSaved(kept.record, to => shelf.linkMemory(vmId, pointId, to));
    return true;
  }

  /** What the present had beside its disks belongs to the branch that keeps it (L4). */
  #keepPresent(before: Timeline, after: Timeline): void {
    const { shelf } = this.#ports;
    const known = new Set(before.moments.map(({ id }) => id));
    const moment = after.moments.find(({ id, kind }) => kind === 'kept' && !known.has(id));
    if (moment === undefined) return;
    const draft = shelf.draft(after.vmId);
    shelf.copyState(after.vmId, draft);
    this.#keep(moment, draft, { vmId: after.vmId, hasScreen: false, consistency: 'off', record: null });
  }

  /** What belongs to points that are gone. */
  async sweep(vmId: VmId): Promise<void> {
    await this.#ports.shelf.sweep(await this.#ports.storage.call('timeline.get', { vmId }));
  }
}
