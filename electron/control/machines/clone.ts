// Clones: makes a VM from a point of another VM. The clone has new ids throughout. Its disks are copied as
// they were at the point, in full or (linked) by reflink, which is instant. Afterwards the two share nothing
// but blocks, by the file system alone. The source is only read, running or not (T4). A clone that fails
// half-way leaves nothing (machines.make).
import {
  type DiskId,
  diskIdSchema,
  type MomentId,
  type PointId,
  type VmId,
  vmIdSchema,
} from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import { requireRoom } from '../disk-room.ts';
import { nbdUri } from '../nbd-uri.ts';
import { measurePoint } from '../points/export-point.ts';
import { momentNamed } from '../points/named-point.ts';
import { whilePointServed } from '../points/served-point.ts';
import { type QemuImgPorts, qemuImgPath, runCopy } from '../qemu-img.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { copyInstaller, driveChanged, isoNameOf } from './installer.ts';
import type { MachineFolders } from './machine-folders.ts';
import type { Machines } from './machines.ts';

const NOTHING_CREATED = 'Nothing was created; the VM it would be made from is as it was.';

export interface ClonePorts extends QemuImgPorts {
  readonly machines: Machines;
  readonly storage: StorageClient;
  readonly folders: Pick<MachineFolders, 'home' | 'freeBytes' | 'copyIn' | 'copyUefiVars'>;
  /** Private, short, and new at every call. */
  readonly readerSocket: (vmId: VmId) => string;
  readonly clock: Clock;
  readonly random: Random;
}

export interface PlannedClone {
  readonly from: VmSpec;
  readonly momentName: string;
  readonly spec: VmSpec;
  readonly copies: readonly { readonly pointId: PointId; readonly diskId: DiskId }[];
  /** The clone shares blocks with the source by reflink: instant, and as independent as a copy in full. */
  readonly linked: boolean;
}

export class Cloner {
  readonly #ports: ClonePorts;

  constructor(ports: ClonePorts) {
    this.#ports = ports;
  }

  /** Refuses before anything is made. */
  async plan(
    vmId: VmId,
    {
      momentId,
      name,
      linked,
    }: { readonly momentId: MomentId; readonly name: string; readonly linked: boolean },
  ): Promise<PlannedClone> {
    const { machines, storage, random, clock } = this.#ports;
    // The clone's spec is the one that the policy lets the source run with.
    const from = machines.bound(vmId);
    machines.checkNew(name);
    const { moments } = await storage.call('timeline.get', { vmId });
    const moment = momentNamed(moments, momentId, 'Nothing was created.');
    const pairs = from.disks.flatMap(disk => {
      const point = moment.points.find(({ diskId }) => diskId === disk.id);
      const diskId = diskIdSchema.parse(random.uuid());
      // T4: as large as the point was then, whatever became of the disk.
      return point === undefined
        ? []
        : [{ pointId: point.pointId, diskId, virtualBytes: point.virtualBytes }];
    });
    const id = vmIdSchema.parse(random.uuid());
    const disks = pairs.map(({ diskId, virtualBytes }) => ({ id: diskId, virtualBytes }));
    // What only one VM can have, or two would do twice, stays with the source.
    const own = { portForwards: [], autostart: null, hasSeed: false };
    const spec: VmSpec = { ...from, ...own, id, name, disks, createdAt: clock.wallMs() };
    return { from, momentName: moment.name, spec, copies: pairs, linked };
  }

  create(planned: PlannedClone, run: TaskRun): Promise<void> {
    const { machines, storage, folders } = this.#ports;
    const { from, momentName, spec, copies, linked } = planned;
    const { step } = run;
    const fill = async (): Promise<void> => {
      // T14: room for all of the disks, before the first is copied.
      if (!linked) await this.#requireRoom(from.id, copies, run);
      for (const copy of copies)
        if (linked) await this.#share(from.id, spec.id, copy, step);
        else await this.#copy(from.id, spec.id, copy, run);
      if (isoNameOf(spec) !== isoNameOf(machines.spec(from.id))) throw driveChanged(from.name);
      await copyInstaller(folders, `${folders.home(from.id)}/${isoNameOf(spec)}`, spec, run);
      folders.copyUefiVars(from.id, spec.id);
      step('taking the first point');
      await storage.call('moment.take', {
        vmId: spec.id,
        name: 'Cloned',
        note: `From ${from.name}, ${momentName}`,
        kind: 'imported',
        origins: copies.map(({ pointId, diskId }) => ({ diskId, uuid: pointId })),
      });
    };
    return machines.make(spec, run, fill, linked);
  }

  async #share(
    fromId: VmId,
    toId: VmId,
    { pointId, diskId }: PlannedClone['copies'][number],
    step: TaskRun['step'],
  ): Promise<void> {
    const { storage, folders } = this.#ports;
    step('sharing the disk');
    const folder = `${folders.home(toId)}/disks/${diskId}`;
    const { images } = await storage.call('point.share', { vmId: fromId, pointId, folder });
    await storage.call('disk.adopt', { vmId: toId, diskId, images });
  }

  async #requireRoom(fromId: VmId, copies: PlannedClone['copies'], run: TaskRun): Promise<void> {
    const { storage, readerSocket, folders } = this.#ports;
    const qemuImg = qemuImgPath(this.#ports, 'Nothing was created.');
    let needs = 0;
    for (const { pointId } of copies) {
      const source = { vmId: fromId, pointId, socketPath: readerSocket(fromId) };
      needs += await whilePointServed(storage, source, point =>
        measurePoint(point, qemuImg, this.#ports, run),
      );
    }
    requireRoom({ what: 'The clone', needs, free: folders.freeBytes(), safe: NOTHING_CREATED });
  }

  async #copy(
    fromId: VmId,
    toId: VmId,
    { pointId, diskId }: PlannedClone['copies'][number],
    run: TaskRun,
  ): Promise<void> {
    const { storage, readerSocket } = this.#ports;
    const qemuImg = qemuImgPath(this.#ports, 'Nothing was created.');
    const target = readerSocket(toId);
    const source = { vmId: fromId, pointId, socketPath: readerSocket(fromId) };
    await whilePointServed(storage, source, async point => {
      await storage.openExport(toId, diskId, target);
      try {
        const to = nbdUri(diskId, target);
        const args = ['convert', '-p', '-n', '-f', 'raw', '-O', 'raw', point.uri, to];
        const copying = { doing: 'copying the disk', totalBytes: point.virtualBytes };
        const failure = await runCopy([qemuImg, args], this.#ports, copying, run);
        if (failure !== null) throw failed(failure);
      } finally {
        await storage.closeExport(toId, diskId);
      }
    });
  }
}

const failed = ({ stderr, isFull }: { stderr: string; isFull: boolean }): Fault =>
  new Fault({
    code: isFull ? 'disk.full' : 'disk.io',
    what: `The disk could not be copied: ${stderr.slice(0, 400)}`,
    safe: NOTHING_CREATED,
    todo: isFull ? 'Free some space, then try again.' : 'Try again.',
  });
