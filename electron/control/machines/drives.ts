// CD drives of VMs that are off: inserts a CD, or ejects it. Each copy of a CD has a name of its own, and the
// catalog's row, which is durable, says which one is in the drive. So whatever dies when, it names a whole
// file. A copy that no row names belongs to nobody: it is removed at the end, or by the next control.
//
//   insert: copy whole, under a new name → row → other copies gone          eject: row → all copies gone
import type { VmId } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import { Fault } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Random } from '../../platform/ports.ts';
import { SPARE_BYTES } from '../disk-room.ts';
import type { ChosenFile } from '../files.ts';
import { checkUnchanged } from '../imports/import-disk.ts';
import type { ImportPorts } from '../imports/import-ports.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { bootOf, copyInstaller, insertFull, installerName, isoNameOf, noDrive } from './installer.ts';
import type { MachineFolders } from './machine-folders.ts';
import type { Machines } from './machines.ts';

export interface DrivesPorts {
  readonly machines: Pick<Machines, 'kept' | 'spec' | 'requireOff' | 'update'>;
  readonly folders: Pick<MachineFolders, 'copyIn' | 'installers' | 'removeInstaller' | 'freeBytes'>;
  readonly look: ImportPorts['look'];
  readonly random: Pick<Random, 'uuid'>;
  readonly log: Log;
}

export interface Insertion {
  readonly vmId: VmId;
  readonly file: ChosenFile;
  /** In the name of the copy. */
  readonly discId: string;
}

export class Drives {
  readonly #ports: DrivesPorts;

  constructor(ports: DrivesPorts) {
    this.#ports = ports;
  }

  /** Refuses before anything is copied. */
  plan(vmId: VmId, file: ChosenFile): Insertion {
    this.#check(vmId, file);
    return { vmId, file, discId: this.#ports.random.uuid() };
  }

  #check(vmId: VmId, file: ChosenFile): void {
    const { machines, folders } = this.#ports;
    machines.requireOff(vmId, 'changing what is in its CD drive');
    const { name, boot } = machines.spec(vmId);
    if (boot.kind === 'sample') throw noDrive(name);
    const [needs, free] = [file.bytes + SPARE_BYTES, folders.freeBytes()];
    if (free < needs) throw insertFull(file.name, needs, free);
  }

  async insert({ vmId, file, discId }: Insertion, run: TaskRun): Promise<void> {
    const { machines, folders } = this.#ports;
    const boot = bootOf(installerName(discId), file);
    // The CD was in the drive already when control died.
    if (isoNameOf(machines.spec(vmId)) === isoNameOf({ boot })) return;
    this.#check(vmId, file);
    checkUnchanged(file, this.#ports);
    try {
      await copyInstaller(folders, file.path, { id: vmId, boot }, run);
      checkUnchanged(file, this.#ports);
      this.#put(vmId, boot);
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.body.code !== 'disk.full') throw cause;
      throw insertFull(file.name, null, folders.freeBytes());
    } finally {
      await this.#removeOthers(vmId);
    }
  }

  /** The bytes of the copies removed; 0: the drive was empty, or there is none. */
  async eject(vmId: VmId): Promise<number> {
    if (this.#ports.machines.spec(vmId).boot.kind !== 'iso') return 0;
    this.#put(vmId, { kind: 'disk' });
    return this.#removeOthers(vmId);
  }

  /** Removes copies that dead controls left. To be called before any insertion is begun again. */
  async sweep(): Promise<void> {
    for (const { spec } of this.#ports.machines.kept()) await this.#removeOthers(spec.id);
  }

  /** L4: a machine that is to go on is not changed, and the VM may have begun to run since this was asked. */
  #put(vmId: VmId, boot: VmSpec['boot']): void {
    const { machines } = this.#ports;
    machines.requireOff(vmId, 'changing what is in its CD drive');
    machines.update({ ...machines.spec(vmId), boot });
  }

  /** Removes all copies but the one in the drive. Those that cannot be now, the next control removes. */
  async #removeOthers(vmId: VmId): Promise<number> {
    const { machines, folders, log } = this.#ports;
    let removed = 0;
    try {
      const isoName = isoNameOf(machines.spec(vmId));
      for (const { name, bytes } of folders.installers(vmId)) {
        if (name === isoName) continue;
        await folders.removeInstaller(vmId, name);
        removed += bytes;
      }
    } catch (cause) {
      log(`vm ${vmId}: a copy of an installer could not be removed: ${String(cause)}`, 'warn');
    }
    return removed;
  }
}
