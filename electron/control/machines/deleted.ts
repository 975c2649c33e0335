// Deleted VMs, and taking one back: its folder moves out of the trash, and the list has it again, with the
// settings that the folder tells (vm-json.ts). The row is written first and the folder moves last. A control
// that dies in between leaves a row whose folder is in the trash: the next one forgets that row
// (machines.ts), and the VM can be taken back as before. Nothing is lost at any step.
import { freeName, shortened } from '../../../shared/free-name.ts';
import type { VmId } from '../../../shared/ids.ts';
import { messageOf } from '../../../shared/result.ts';
import type { DeletedVm, VmSpec } from '../../../shared/vm.ts';
import type { Policy } from '../policy/policy.ts';
import { requireOneMore } from '../policy/vm-rules.ts';
import { isHere, notInTrash } from './machine-faults.ts';
import type { MachineFolders } from './machine-folders.ts';
import type { Machines } from './machines.ts';
import type { SpecFiles } from './spec-files.ts';
import { trashedName } from './trash.ts';

export interface DeletedPorts {
  readonly folders: Pick<MachineFolders, 'trashed' | 'trashedSays' | 'fromTrash' | 'hasHome'>;
  readonly files: SpecFiles;
  readonly machines: Pick<Machines, 'list' | 'spec' | 'checkNew' | 'add' | 'forget' | 'open'>;
  readonly policy: () => Policy;
  /** How long what was deleted stays. */
  readonly keptMs: () => number;
  readonly log: (line: string) => void;
}

interface InTrash {
  readonly name: string;
  readonly spec: VmSpec;
  readonly deletedAt: number;
}

export class Deleted {
  readonly #ports: DeletedPorts;

  constructor(ports: DeletedPorts) {
    this.#ports = ports;
  }

  /** Also notes what older versions of Ebb did not, and what could not be written before. */
  begin(): void {
    for (const { spec } of this.#ports.machines.list()) this.#ports.files.note(spec);
  }

  /** Before its folder goes to the trash: only the folder tells then. */
  willGo(vmId: VmId): void {
    this.#ports.files.note(this.#ports.machines.spec(vmId));
  }

  /** The VMs that can be taken back, newest first. */
  list(): DeletedVm[] {
    const keptMs = this.#ports.keptMs();
    return this.#all().map(({ spec: { id, name }, deletedAt }) => ({
      vmId: id,
      name,
      deletedAt,
      goesAt: deletedAt + keptMs,
    }));
  }

  /** Of each VM what was deleted last. */
  #all(): InTrash[] {
    const { folders } = this.#ports;
    const found = folders.trashed().flatMap(name => {
      const deleted = trashedName(name);
      const { spec } = deleted === null ? { spec: null } : folders.trashedSays(name);
      return deleted === null || spec?.id !== deleted.vmId
        ? []
        : [{ name, spec, deletedAt: deleted.deletedAt }];
    });
    const newest = found.toSorted((one, other) => other.deletedAt - one.deletedAt);
    return newest.filter(({ spec }, index) => newest.findIndex(other => other.spec.id === spec.id) === index);
  }

  /** Faults: vm.not-found, vm.wrong-state, limit.reached, policy.denied, disk.full, disk.io. */
  async takeBack(vmId: VmId): Promise<VmSpec> {
    const { folders, files, machines, log } = this.#ports;
    const found = this.#all().find(({ spec }) => spec.id === vmId);
    if (found === undefined) throw notInTrash(vmId);
    const others = machines.list().map(({ spec }) => spec);
    const here = others.find(({ id }) => id === vmId);
    if (here !== undefined || folders.hasHome(vmId)) throw isHere(here?.name ?? found.spec.name);
    requireOneMore(others.length, this.#ports.policy());
    const name = nameAmong(
      found.spec.name,
      others.map(spec => spec.name),
    );
    machines.checkNew(name);
    const spec = { ...found.spec, name };
    machines.add(spec);
    try {
      folders.fromTrash(found.name, vmId);
    } catch (cause) {
      machines.forget(vmId);
      throw cause;
    }
    files.note(spec);
    // The VM is back, also where its disks do not open now: they are opened again whenever they are needed.
    await machines.open(vmId).catch((cause: unknown) => log(`vm ${vmId}: ${messageOf(cause)}`));
    return machines.spec(vmId);
  }
}

const NAME_MAX = 60;

/** The name, or the name with a number: one that no VM has. Pure. */
export function nameAmong(name: string, names: readonly string[]): string {
  const free = freeName(name, names);
  return free.length <= NAME_MAX ? free : freeName(shortened(name, NAME_MAX - 4), names);
}
