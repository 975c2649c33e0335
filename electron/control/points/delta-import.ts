// Imports an update made elsewhere as a point of a VM: a differencing VHD whose parent is one of the VM's
// points (T1: a UUID names a point wherever its image is). The reader's process copies it into an image that
// is in no timeline yet, which becomes a point when it is whole (storage: graft). Whether the update belongs
// to the VM is decided here, before anything is made.
import type { MomentId, PointId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment, Timeline } from '../../../shared/timeline.ts';
import type { StorageClient } from '../../storage/client.ts';
import { requireRoom } from '../disk-room.ts';
import type { ChosenFile } from '../files.ts';
import { checkUnchanged } from '../imports/import-disk.ts';
import { type ImportPorts, refused } from '../imports/import-ports.ts';
import { type FoundVhd, lookAtVhd, pushVhd } from '../imports/vhd-reader.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { momentNamed } from './named-point.ts';

const NAME_MAX = 200;

export interface DeltaImportPorts extends ImportPorts {
  readonly storage: StorageClient;
  readonly freeBytes: () => number;
  /** Private, short, and new at every call. */
  readonly readerSocket: (vmId: VmId) => string;
}

export interface WantedDelta {
  readonly vmId: VmId;
  readonly file: ChosenFile;
  /** The moment that it belongs onto, as a person says, where its parent UUID names no point of this VM. */
  readonly ontoId: MomentId | null;
  readonly name: string | null;
}

export interface PlannedDelta {
  readonly vmId: VmId;
  readonly file: ChosenFile;
  readonly parent: PointId;
  readonly name: string;
  readonly note: string;
  readonly origin: string;
}

export class DeltaImporter {
  readonly #ports: DeltaImportPorts;

  constructor(ports: DeltaImportPorts) {
    this.#ports = ports;
  }

  /** Faults: import.*, vhd.*, moment.not-found, disk.full. */
  async plan({ vmId, file, ontoId, name }: WantedDelta): Promise<PlannedDelta> {
    const { storage } = this.#ports;
    checkUnchanged(file, this.#ports);
    const found = await lookAtVhd(file, this.#ports, '--alone');
    const [image] = found.chain;
    const parentUuid = image?.parentUuid ?? null;
    if (image === undefined || parentUuid === null)
      throw refused(
        'import.bad-format',
        file,
        'holds a whole disk: its disk type is not 4 (differencing), expected a differencing VHD.',
        'Create a VM from it instead.',
      );
    const timeline = await storage.call('timeline.get', { vmId });
    const { points } = await storage.call('point.find', { vmId, uuid: parentUuid });
    const parent = chooseParent(file, found, { timeline, points, ontoId, parentUuid });
    const [needs, free] = [found.dataBytes, this.#ports.freeBytes()];
    requireRoom({ what: 'The update', needs, free, safe: 'Nothing was created; every point is as it was.' });
    const known = (await storage.call('point.find', { vmId, uuid: image.uuid })).points;
    if (known.length > 0) throw knownAlready(file, image.uuid, momentOf(timeline, known[0] as PointId));
    const onto = momentOf(timeline, parent);
    return {
      vmId,
      file,
      parent,
      name: (name ?? file.name.replace(/\.a?vhd$/i, '')).slice(0, NAME_MAX),
      note: `From ${file.name}, onto "${onto?.name ?? ''}"`,
      origin: image.uuid,
    };
  }

  async run(planned: PlannedDelta, run: TaskRun): Promise<void> {
    const { storage, readerSocket } = this.#ports;
    const { vmId, file, parent, name, note, origin } = planned;
    const { step, signal } = run;
    // The update was a point already when control died.
    if (run.isAgain && (await storage.call('point.find', { vmId, uuid: origin })).points.length > 0) return;
    checkUnchanged(file, this.#ports);
    const socketPath = readerSocket(vmId);
    step('making room for it');
    const { graftId, exportName } = await storage.call('graft.open', { vmId, pointId: parent, socketPath });
    try {
      const to = { socketPath, exportName };
      await pushVhd(file, { alone: true }, to, this.#ports, 'copying the update', run);
      checkUnchanged(file, this.#ports);
      signal.throwIfAborted();
      step('making it durable');
      await storage.call('graft.commit', { vmId, graftId, name, note, origin });
    } catch (cause) {
      // Where storage cannot be told now, it discards the graft when the VM is opened again.
      await storage.call('graft.discard', { vmId, graftId }).catch(() => undefined);
      throw cause;
    }
  }
}

interface Candidates {
  readonly timeline: Timeline;
  /** The points of the VM that the image names as its parent. */
  readonly points: readonly PointId[];
  readonly ontoId: MomentId | null;
  readonly parentUuid: string;
}

const momentOf = ({ moments }: Timeline, pointId: PointId): Moment | undefined =>
  moments.find(({ points }) => points.some(point => point.pointId === pointId));

/** Pure. The update's parent: the point it names, or (where it names none here) the one the person names. */
export function chooseParent(
  file: ChosenFile,
  { virtualBytes, exactBytes }: Pick<FoundVhd, 'virtualBytes' | 'exactBytes'>,
  { timeline, points, ontoId, parentUuid }: Candidates,
): PointId {
  const live = points.filter(id => momentOf(timeline, id) !== undefined);
  const onto = ontoId === null ? undefined : momentNamed(timeline.moments, ontoId, 'Nothing was created.');
  const named = live.find(id => onto === undefined || onto.points.some(point => point.pointId === id));
  if (named !== undefined) {
    // A point keeps its size, also where its disk has grown since.
    const own = timeline.moments.flatMap(row => row.points).find(({ pointId }) => pointId === named);
    if (own?.virtualBytes === exactBytes) return named;
    throw mismatch(file, 'current size', virtualBytes, own?.virtualBytes ?? 0);
  }
  if (onto === undefined || live.length > 0)
    throw mismatch(
      file,
      'parent UUID',
      parentUuid,
      onto === undefined
        ? 'the UUID of a point of this VM, or of the image one came from'
        : `that of "${onto.name}": it names "${momentOf(timeline, live[0] as PointId)?.name}"`,
    );
  const [fits, ...others] = onto.points.filter(point => point.virtualBytes === exactBytes);
  if (fits !== undefined && others.length === 0) return fits.pointId;
  const sizes = onto.points.map(point => point.virtualBytes).join(' or ');
  throw mismatch(file, 'current size', virtualBytes, `${sizes}, of one disk alone`);
}

const mismatch = (
  file: ChosenFile,
  field: string,
  found: string | number,
  expected: string | number,
): Fault =>
  new Fault({
    code: 'vhd.parent-mismatch',
    what: `VHD ${file.name}: ${field} is ${found}, expected ${expected}.`,
    safe: 'The file was only read; every point is as it was.',
    todo:
      field === 'parent UUID'
        ? 'Import it into the VM it was made for. If you know the point it was made from, name it: ebb point import-delta VM FILE --onto POINT'
        : 'Use an update that was made from this disk.',
    data: { file: file.name, field, found, expected },
  });

const knownAlready = (file: ChosenFile, uuid: string, moment: Moment | undefined): Fault =>
  new Fault({
    code: 'vhd.parent-mismatch',
    what: `VHD ${file.name}: UUID is ${uuid}, which is "${moment?.name ?? 'a point'}" of this VM already.`,
    safe: 'The file was only read; every point is as it was.',
    todo: 'Go back to that point, or forward to it, instead.',
  });
