// Peeks: looks at how a VM was. A peek is a machine that reads a point, writes to a file of its own above it,
// and is gone with all it wrote when its QEMU ends. Now is not touched (T4), and may run beside the peek.
// Nobody knows what an earlier state would do to the world it wakes up in, so a peek reaches no network.

import { freeName, shortened } from '../../../shared/free-name.ts';
import { type DiskId, diskIdSchema, type MomentId, type VmId, vmIdSchema } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment } from '../../../shared/timeline.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { ExtrasShelf } from '../moments/extras.ts';
import { momentNamed } from '../points/named-point.ts';
import { type QemuImgPorts, qemuImgPath } from '../qemu-img.ts';
import type { SetupDesk } from '../setup/desk.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { overlayPath } from '../vm/home-files.ts';
import type { MachineFolders } from './machine-folders.ts';
import type { Machines } from './machines.ts';

const NAME_MAX = 60;
const CREATE = { timeoutMs: 60_000 };
const NOTHING = 'Nothing was started; the VM is as it was.';

export interface PeekPorts extends Pick<QemuImgPorts, 'program' | 'runTool'> {
  readonly machines: Machines;
  readonly setup: Pick<SetupDesk, 'start'>;
  readonly storage: StorageClient;
  readonly shelf: Pick<ExtrasShelf, 'restoreState'>;
  readonly folders: Pick<MachineFolders, 'home' | 'beginMaking' | 'endMaking' | 'copyUefiVars' | 'remove'>;
  readonly clock: Clock;
  readonly random: Random;
  /** Fault policy.denied. */
  readonly requireAllowed: () => void;
  readonly log: (line: string) => void;
}

export interface PlannedPeek {
  readonly spec: VmSpec;
  readonly virtualBytes: readonly number[];
}

export class PeekDesk {
  readonly #ports: PeekPorts;

  constructor(ports: PeekPorts) {
    this.#ports = ports;
  }

  /** Refuses before anything is made. Faults: moment.not-found, limit.reached, qemu.missing. */
  async plan(vmId: VmId, momentId: MomentId): Promise<PlannedPeek> {
    const { machines, storage, random, clock } = this.#ports;
    const from = machines.bound(vmId);
    const { moments } = await storage.call('timeline.get', { vmId });
    const moment = momentNamed(moments, momentId, NOTHING);
    qemuImgPath(this.#ports, NOTHING);
    const names = machines.list().map(({ spec }) => spec.name);
    const name = freeName(nameOf(from.name, moment.name), names);
    machines.checkNew(name);
    const newDisk = (): DiskId => diskIdSchema.parse(random.uuid());
    return {
      spec: peekSpec(from, moment, {
        id: vmIdSchema.parse(random.uuid()),
        name,
        newDisk,
        nowMs: clock.wallMs(),
      }),
      virtualBytes: disksOf(from, moment).map(({ virtualBytes }) => virtualBytes),
    };
  }

  /** Makes the peek, a VM that is off until `start` is called. Faults: disk.full, disk.io. */
  async make({ spec, virtualBytes }: PlannedPeek): Promise<void> {
    const { machines, folders } = this.#ports;
    try {
      folders.beginMaking(spec.id);
      await this.#fill(spec, virtualBytes);
      machines.add(spec);
      folders.endMaking(spec.id);
    } catch (cause) {
      folders.remove(spec.id);
      throw cause;
    }
  }

  /** Starts the peek. Where that fails, the peek is over and removed. */
  async start({ spec }: PlannedPeek, { signal, step }: TaskRun): Promise<void> {
    const { machines, setup, requireAllowed } = this.#ports;
    try {
      requireAllowed();
      await setup.start(spec.id, signal, step);
      // The policy may have forbidden it while the peek was being started.
      requireAllowed();
    } catch (cause) {
      await this.#end(spec.id);
      machines.endPeek(spec.id);
      throw cause;
    }
  }

  /** The policy allows peeks no more: ends them all, with all they wrote. */
  async endAll(): Promise<void> {
    const { machines, log } = this.#ports;
    for (const { spec } of machines.list()) {
      if (spec.peek === null) continue;
      log(`a look at "${spec.peek.momentName}" is ended: it is not allowed any more`);
      await this.#end(spec.id);
    }
  }

  async #end(vmId: VmId): Promise<void> {
    const { machines, log } = this.#ports;
    try {
      await machines.supervisor(vmId).stop('force', AbortSignal.any([]), () => undefined);
    } catch (cause) {
      log(`vm ${vmId}: not ended: ${String(cause)}`);
    }
  }

  async #fill({ id, peek }: VmSpec, virtualBytes: readonly number[]): Promise<void> {
    const { folders, shelf, runTool } = this.#ports;
    const qemuImg = qemuImgPath(this.#ports, NOTHING);
    for (const [index, bytes] of virtualBytes.entries()) {
      const path = overlayPath({ home: folders.home(id) }, index);
      const made = await runTool(qemuImg, ['create', '-q', '-f', 'qcow2', path, String(bytes)], CREATE);
      if (made.code !== 0) throw noRoom(made.stderr);
    }
    const first = peek?.points[0];
    if (peek === null) return;
    folders.copyUefiVars(peek.vmId, id);
    if (first !== undefined) shelf.restoreState(peek.vmId, first, id);
  }
}

/** The points of the VM's present disks that were there at that moment. */
const disksOf = (from: VmSpec, moment: Moment) =>
  from.disks.flatMap(({ id }) => {
    const point = moment.points.find(({ diskId }) => diskId === id);
    return point === undefined ? [] : [point];
  });

function peekSpec(
  from: VmSpec,
  moment: Moment,
  { id, name, newDisk, nowMs }: { id: VmId; name: string; newDisk: () => DiskId; nowMs: number },
): VmSpec {
  const points = disksOf(from, moment);
  return {
    ...from,
    id,
    name,
    disks: points.map(({ virtualBytes }) => ({ id: newDisk(), virtualBytes })),
    boot: from.boot.kind === 'iso' ? { kind: 'disk' } : from.boot,
    network: from.network === 'user' ? 'isolated' : from.network,
    portForwards: [],
    autostart: null,
    hasSeed: false,
    notes: '',
    createdAt: nowMs,
    peek: {
      vmId: from.id,
      momentId: moment.id,
      momentName: moment.name,
      points: points.map(({ pointId }) => pointId),
    },
  };
}

/** A name that a VM may have (vmNameSchema), with room for a number. */
export function nameOf(vm: string, point: string): string {
  return shortened(`${vm}: ${point}`.replace(/[\p{C}/\\,=]/gu, ' '), NAME_MAX - 4);
}

const noRoom = (said: string): Fault =>
  new Fault({
    code: said.includes('No space left') ? 'disk.full' : 'disk.io',
    what: `A file for what it writes could not be made: ${said.trim().slice(0, 400)}`,
    safe: NOTHING,
    todo: 'Free some space, then try again.',
  });
