// Adds the folder of a VM that an Ebb made, here or elsewhere. It is brought into the trash first, whole and
// with the settings it has here, and taken back from there: so a control that dies leaves it where it was, or in
// the trash; what was half copied is swept away by the next one.
import { messageOf } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { PortConflict, PortForward } from '../../../shared/vm-setup.ts';
import { requireRoom } from '../disk-room.ts';
import type { MemoryManager } from '../memory/manager.ts';
import { keptSchema } from '../moments/extras.ts';
import type { Policy } from '../policy/policy.ts';
import { requireNew } from '../policy/vm-rules.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { addedSpec, isTaken, MOMENT_JSON, requireWhole, unmovable, withoutMemory } from './added-folder.ts';
import type { Arrivals } from './arrivals.ts';
import { type Deleted, nameAmong } from './deleted.ts';
import { addHeld, addRefused, isHere, notOfEbb } from './machine-faults.ts';
import type { Machines } from './machines.ts';

export interface AdderPorts {
  readonly arrivals: Arrivals;
  readonly machines: Pick<Machines, 'list' | 'checkNew'>;
  readonly deleted: Deleted;
  readonly memory: Pick<MemoryManager, 'checkRange' | 'hostMemory'>;
  readonly conflicts: (vmId: null, forwards: readonly PortForward[]) => Promise<PortConflict[]>;
  readonly policy: () => Policy;
  /** The path without links. */
  readonly real: (path: string) => string;
  /** Fault policy.denied. */
  readonly admit: (realPath: string) => void;
  readonly log: (line: string) => void;
}

export interface PlannedAdd {
  readonly path: string;
  readonly spec: VmSpec;
  readonly files: readonly { readonly path: string; readonly heldBytes: number }[];
  /** It lies on the disk of the data folder, and the person wants it moved. */
  readonly moves: boolean;
}

export class Adder {
  readonly #ports: AdderPorts;

  constructor(ports: AdderPorts) {
    this.#ports = ports;
  }

  /** Refuses before anything is done. */
  async plan(given: string, wantsMove: boolean): Promise<PlannedAdd> {
    const { arrivals, machines, memory, policy, real, admit } = this.#ports;
    const path = real(given);
    admit(path);
    if (arrivals.isOurs(path)) throw addRefused("it is in this Ebb's own data folder", 'See: ebb vm trash');
    const said = arrivals.says(path);
    if (said.spec === null) throw notOfEbb(path, said.why);
    const { files, odd } = arrivals.tree(path);
    if (odd !== null) throw addRefused(`${odd} is no plain file`, 'Copy the folder without links.');
    const paths = files.map(file => file.path);
    if (arrivals.isHeld(path)) throw addHeld(said.spec.name);
    const others = machines.list().map(({ spec }) => spec);
    const here = others.find(({ id }) => id === said.spec.id);
    if (here !== undefined || arrivals.hasHome(said.spec.id)) throw isHere(here?.name ?? said.spec.name);
    requireWhole(said.spec, paths);
    const name = nameAmong(
      said.spec.name,
      others.map(spec => spec.name),
    );
    machines.checkNew(name);
    const { budgetKib, capKib } = memory.hostMemory();
    const spec = addedSpec(said.spec, {
      name,
      policy: policy(),
      paths,
      checkRange: range => memory.checkRange(range),
      mostKib: Math.min(budgetKib, capKib ?? budgetKib),
      // Also those of VMs that are off now: both would want them one day.
      taken: [
        ...others.flatMap(({ portForwards }) => portForwards),
        ...(await this.#ports.conflicts(null, said.spec.portForwards)),
      ],
    });
    requireNew(spec, others.length, policy());
    const moves = wantsMove && arrivals.isBeside(path);
    if (moves) this.#requireMovable(path, paths);
    else this.#requireRoom(files);
    return { path, spec, files, moves };
  }

  #requireMovable(path: string, paths: readonly string[]): void {
    const [odd] = [
      ...unmovable(paths),
      ...paths.filter(name => {
        if (!MOMENT_JSON.test(name)) return false;
        const kept = keptSchema.safeParse(this.#ports.arrivals.readSmall(`${path}/${name}`));
        return !kept.success || kept.data.record !== null;
      }),
    ];
    if (odd === undefined) return;
    throw addRefused(
      `${odd} would not be taken over, such as saved memory, which only its own Ebb may run`,
      'Add it without --move: that copies what can be taken over, and leaves all of it there.',
    );
  }

  #requireRoom(files: PlannedAdd['files']): void {
    const needs = files.reduce((sum, { path, heldBytes }) => sum + (isTaken(path) ? heldBytes : 0), 0);
    requireRoom({
      what: 'The copy',
      needs,
      free: this.#ports.arrivals.freeBytes(),
      safe: 'Nothing was added; the folder is as it was.',
    });
  }

  async add(planned: PlannedAdd, run: TaskRun): Promise<void> {
    const { arrivals, deleted } = this.#ports;
    const { path, spec, moves } = planned;
    if (moves) {
      run.step('moving the folder');
      if (arrivals.isHeld(path)) throw addHeld(spec.name);
      arrivals.removeRunRecord(path);
      arrivals.putSpec(path, spec);
      arrivals.land(path, spec.id);
    } else await this.#copy(planned, run);
    run.step('opening the disks');
    await deleted.takeBack(spec.id);
  }

  async #copy({ path, spec, files }: PlannedAdd, { step, signal }: TaskRun): Promise<void> {
    const { arrivals, log } = this.#ports;
    const taken = files.filter(file => isTaken(file.path));
    const total = taken.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
    const folder = arrivals.begin(spec.id);
    let done = 0;
    try {
      for (const { path: name, heldBytes } of taken) {
        const end = done + heldBytes;
        const copied = (bytes: number): void => {
          signal.throwIfAborted();
          done = Math.min(done + bytes, end);
          step('copying the folder', { done, total });
        };
        copied(0);
        if (MOMENT_JSON.test(name)) this.#copyMoment(`${path}/${name}`, `${folder}/${name}`);
        else await arrivals.copy(`${path}/${name}`, `${folder}/${name}`, copied);
        done = end;
      }
      // Somebody may have started its Ebb meanwhile: then the copy is of no one moment.
      if (arrivals.isHeld(path)) throw addHeld(spec.name);
      signal.throwIfAborted();
      arrivals.putSpec(folder, spec);
      arrivals.land(folder, spec.id);
    } catch (cause) {
      await arrivals.drop(folder).catch((error: unknown) => log(`${folder}: ${messageOf(error)}`));
      throw cause;
    }
  }

  #copyMoment(from: string, to: string): void {
    const kept = keptSchema.safeParse(this.#ports.arrivals.readSmall(from));
    if (kept.success) this.#ports.arrivals.writeJson(to, withoutMemory(kept.data));
  }

  /** What a dead control had half copied. */
  begin(): void {
    void this.#ports.arrivals.sweep().catch((cause: unknown) => this.#ports.log(messageOf(cause)));
  }
}
