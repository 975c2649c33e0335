// What control keeps of moments beside their points: `<home>/moments/<pointId>/`, named by the first disk's
// point, which keeps its name through rescues and moves of the folder (T1). moment.json is written last and
// makes a folder count; one whose name begins with a dot is still being made.
import type * as z from 'zod';
import { configurationOf } from '../../../shared/configuration.ts';
import type { PointId, VmId } from '../../../shared/ids.ts';
import { type MomentExtras, momentExtrasSchema } from '../../../shared/moment-extras.ts';
import type { Moment, Timeline } from '../../../shared/timeline.ts';
import { type VmSpec, vmSpecSchema } from '../../../shared/vm.ts';
import type { SmallFiles } from '../../platform/small-files.ts';
import { MACHINE_STATE } from '../vm/home-files.ts';
import { runRecordSchema } from '../vm/run-record.ts';
import { memoryPath } from '../vm/suspended.ts';

const MAKING = '.making-';

export const keptSchema = momentExtrasSchema.omit({ configuration: true }).extend({
  /** The VM's setup of then. */
  spec: vmSpecSchema,
  /** The machine its memory belongs to (L4). */
  record: runRecordSchema.nullable(),
});
export type Kept = z.infer<typeof keptSchema>;

export interface ExtrasPorts
  extends Pick<
    SmallFiles,
    'readJson' | 'writeJson' | 'listFolder' | 'makePrivateFolder' | 'exists' | 'copyDurably' | 'removeTree'
  > {
  readonly home: (vmId: VmId) => string;
  /** True for files, or folders of the same files, with the same bytes; also where neither is there. */
  readonly isSame: (one: string, other: string) => Promise<boolean>;
  /** T8: large files go off the control path. */
  readonly removeLarge: (path: string) => Promise<void>;
  readonly rename: (from: string, to: string) => void;
  readonly link: (from: string, to: string) => void;
  readonly uuid: () => string;
}

/** Where what belongs to a moment is being put together. */
export interface Draft {
  readonly name: string;
  readonly folder: string;
  readonly memoryPath: string;
  readonly screenPath: string;
}

export class ExtrasShelf {
  readonly #ports: ExtrasPorts;
  /** Read once per VM and kept as long as control lives, because a timeline is asked for often. */
  readonly #known = new Map<VmId, Map<string, MomentExtras>>();
  /** Names of the drafts that are being put together: `sweep` leaves them. */
  readonly #drafts = new Set<string>();

  constructor(ports: ExtrasPorts) {
    this.#ports = ports;
  }

  #shelf(vmId: VmId): string {
    return `${this.#ports.home(vmId)}/moments`;
  }

  #folder(vmId: VmId, pointId: PointId): string {
    return `${this.#shelf(vmId)}/${pointId}`;
  }

  draft(vmId: VmId): Draft {
    const draft = this.draftNamed(vmId, `${MAKING}${this.#ports.uuid()}`);
    this.#ports.makePrivateFolder(draft.folder);
    return draft;
  }

  /** The draft of that name, which somebody noted; perhaps a draft of the last control. */
  draftNamed(vmId: VmId, name: string): Draft {
    const folder = `${this.#shelf(vmId)}/${name}`;
    this.#drafts.add(name);
    return { name, folder, memoryPath: `${folder}/memory`, screenPath: `${folder}/screen.png` };
  }

  isThere({ folder }: Draft): boolean {
    return this.#ports.exists(folder);
  }

  drop({ name, folder }: Draft): void {
    this.#drafts.delete(name);
    this.#ports.removeTree(folder);
  }

  /** For a suspended VM: its saved memory becomes the moment's, too. */
  linkSaved(vmId: VmId, { memoryPath: to }: Draft): void {
    this.#ports.link(memoryPath({ home: this.#ports.home(vmId) }), to);
  }

  /** Firmware variables and TPM state as they are now. */
  copyState(vmId: VmId, { folder }: Draft): void {
    const home = this.#ports.home(vmId);
    for (const name of MACHINE_STATE) this.#copy(`${home}/${name}`, `${folder}/${name}`);
  }

  /** Whether firmware variables and TPM state are that point's; `pointId` null: whether there are none. */
  async isStateOf(vmId: VmId, pointId: PointId | null): Promise<boolean> {
    const [home, { exists, isSame }] = [this.#ports.home(vmId), this.#ports];
    for (const name of MACHINE_STATE) {
      const path = `${home}/${name}`;
      const isIts =
        pointId === null ? !exists(path) : await isSame(path, `${this.#folder(vmId, pointId)}/${name}`);
      if (!isIts) return false;
    }
    return true;
  }

  /** False: the point brings back only disks: storage alone took it (a clone's first, imported, rescued). */
  has(vmId: VmId, pointId: PointId): boolean {
    return this.#read(vmId).has(pointId);
  }

  #copy(from: string, to: string): void {
    if (this.#ports.exists(from)) this.#ports.copyDurably(from, to);
  }

  keep(vmId: VmId, pointId: PointId, { name, folder }: Draft, kept: Kept): void {
    this.#ports.writeJson(`${folder}/moment.json`, kept);
    this.#ports.rename(folder, this.#folder(vmId, pointId));
    this.#drafts.delete(name);
    this.#read(vmId).set(pointId, told(kept));
  }

  /** All that is kept of a moment, from its file; null: nothing is. */
  get(vmId: VmId, pointId: PointId): Kept | null {
    return (
      keptSchema.safeParse(this.#ports.readJson(`${this.#folder(vmId, pointId)}/moment.json`)).data ?? null
    );
  }

  screenPath(vmId: VmId, pointId: PointId): string {
    return `${this.#folder(vmId, pointId)}/screen.png`;
  }

  /** The timeline, with what is kept of each moment added to it. */
  tell<T extends Timeline>(timeline: T): T {
    const known = this.#read(timeline.vmId);
    if (known.size === 0) return timeline;
    const withExtras = (moment: Moment): Moment => {
      const extras = known.get(moment.points[0]?.pointId ?? '');
      return extras === undefined ? moment : { ...moment, extras };
    };
    return { ...timeline, moments: timeline.moments.map(withExtras), trash: timeline.trash.map(withExtras) };
  }

  /** Removes what belongs to no moment any more, and what was being made when control died. */
  async sweep(timeline: Timeline): Promise<void> {
    const { vmId } = timeline;
    const points = new Set<string>(
      [...timeline.moments, ...timeline.trash].flatMap(({ points }) => points.map(({ pointId }) => pointId)),
    );
    const known = this.#read(vmId);
    for (const name of this.#ports.listFolder(this.#shelf(vmId))) {
      if (points.has(name) || this.#drafts.has(name)) continue;
      known.delete(name);
      await this.#ports.removeLarge(`${this.#shelf(vmId)}/${name}`);
    }
  }

  /**
   * Makes the point's firmware variables and TPM state those of the present (L4), or of the VM `to`. Where
   * the point has none, since the VM was not started yet, the present's are removed: a moment of its own
   * keeps them. A point that brings nothing back (`has`) leaves what there is.
   */
  restoreState(vmId: VmId, pointId: PointId, to = vmId): void {
    if (!this.has(vmId, pointId)) return;
    const [folder, home] = [this.#folder(vmId, pointId), this.#ports.home(to)];
    for (const name of MACHINE_STATE)
      if (this.#ports.exists(`${folder}/${name}`)) this.#copy(`${folder}/${name}`, `${home}/${name}`);
      else this.#ports.removeTree(`${home}/${name}`);
  }

  /** The same bytes under another name: saved memory is never written to. */
  linkMemory(vmId: VmId, pointId: PointId, to: string): void {
    this.#ports.link(`${this.#folder(vmId, pointId)}/memory`, to);
  }

  forget(vmId: VmId): void {
    this.#known.delete(vmId);
  }

  #read(vmId: VmId): Map<string, MomentExtras> {
    const known = this.#known.get(vmId);
    if (known !== undefined) return known;
    const found = new Map<string, MomentExtras>();
    for (const name of this.#ports.listFolder(this.#shelf(vmId))) {
      const kept = name.startsWith('.') ? null : this.get(vmId, name as PointId);
      if (kept !== null) found.set(name, told(kept));
    }
    // L4: a shelf that could not be read to its end is not taken for one that has no more.
    this.#known.set(vmId, found);
    return found;
  }
}

const told = ({ consistency, memoryBytes, hasScreen, spec }: Kept): MomentExtras => ({
  consistency,
  memoryBytes,
  hasScreen,
  configuration: configurationOf(spec),
});

/** Whether saved memory fits: it needs the machine it was saved of, the same disks in the same places. */
export function fits(kept: Pick<VmSpec, 'disks'>, now: Pick<VmSpec, 'disks'>): boolean {
  const ids = ({ disks }: Pick<VmSpec, 'disks'>): string => disks.map(({ id }) => id).join();
  return ids(kept) === ids(now);
}
