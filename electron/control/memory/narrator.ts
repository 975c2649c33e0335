// Writes the ledger (M7): each move is a sentence with cause and result, kept with what the planner saw.
// Decides nothing.
import type { VmId } from '../../../shared/ids.ts';
import type { LedgerEntry } from '../../../shared/memory.ts';
import type { Clock } from '../../platform/ports.ts';
import { type Command, TOLERANCE_KIB } from './actuate.ts';
import type { MemoryJournal } from './journal.ts';
import type { HostModel } from './model.ts';
import type { Plan } from './plan.ts';
import type { TrackedVm } from './tracked-vm.ts';
import { doneSentence, type Move, planSentence, type Taken, type Taking } from './words.ts';

/** `residentKib`: what QEMU held when the VM was asked; null where the host does not tell. */
type VmMove = Move & { readonly vmId: VmId; readonly residentKib: number | null };

export interface NarratorPorts {
  readonly clock: Clock;
  readonly journal: MemoryJournal;
  readonly vms: ReadonlyMap<VmId, TrackedVm>;
  /** Smaller changes of a target are not told. */
  readonly worthTellingKib: number;
  readonly told: (entry: LedgerEntry) => void;
}

export interface PlanInput {
  readonly model: HostModel;
  readonly nowMs: number;
  readonly plan: Plan;
  readonly commands: readonly Command[];
}

export class Narrator {
  readonly #ports: NarratorPorts;
  /** Why the next plan is made, in the order it happened. */
  readonly #causes: string[] = [];
  #open: { readonly moves: readonly VmMove[]; readonly sinceMs: number } | null = null;

  constructor(ports: NarratorPorts) {
    this.#ports = ports;
  }

  because(cause: string): void {
    // A cause that comes twice before a plan is told once.
    if (!this.#causes.includes(cause)) this.#causes.push(cause);
  }

  /** M7: the planner's input is stored with the sentence, so that the plan can be made again. */
  planned(input: PlanInput): void {
    const { plan } = input;
    const changes = plan.targets.flatMap(({ id, targetKib }) => this.#changes(id, targetKib));
    const moves = changes.flatMap(({ move }) => move ?? []);
    // A plan that moves nothing is not news: a ledger of non-events hides the moves (M7).
    if (moves.length > 0 || (plan.shortfallKib > 0 && this.#causes.length > 0)) {
      const cause = this.#causes.length === 0 ? 'What was free changed' : this.#causes.slice(0, 3).join(', ');
      this.#append(planSentence(cause, moves, plan, this.#taking(plan)), cause, 'asked', moves, input);
    }
    // Only after the append: causes that could not be written are told with the next plan.
    this.#causes.length = 0;
    for (const { vm, targetKib } of changes) vm.announcedKib = targetKib;
    if (moves.length > 0) this.#open = { moves, sinceMs: this.#ports.clock.monotonicMs() };
  }

  /** The change of a VM's target, if worth telling; `move` null: the guest is there already. */
  #changes(id: VmId, targetKib: number): { vm: TrackedVm; targetKib: number; move: VmMove | null }[] {
    const vm = this.#ports.vms.get(id);
    if (vm === undefined || vm.announcedKib === targetKib) return [];
    const fromKib = vm.actualKib ?? vm.bootKib;
    if (Math.abs(targetKib - (vm.announcedKib ?? fromKib)) <= this.#ports.worthTellingKib) return [];
    const isThere = Math.abs(targetKib - fromKib) <= TOLERANCE_KIB;
    return [
      {
        vm,
        targetKib,
        move: isThere
          ? null
          : { vmId: id, vmName: vm.spec.name, fromKib, toKib: targetKib, residentKib: vm.residentKib },
      },
    ];
  }

  /** The result of the last moves, once every guest is there. */
  observed(): void {
    const open = this.#open;
    if (open === null) return;
    const isThere = open.moves.every(move => {
      const vm = this.#ports.vms.get(move.vmId);
      return vm === undefined || Math.abs((vm.actualKib ?? 0) - move.toKib) <= TOLERANCE_KIB;
    });
    if (!isThere) return;
    const seconds = (this.#ports.clock.monotonicMs() - open.sinceMs) / 1000;
    this.#append(
      doneSentence(open.moves, seconds, this.#taken(open.moves)),
      'done',
      'done',
      open.moves,
      null,
    );
    this.#open = null;
  }

  #taking({ belowTarget, takenKib, givenTo }: Plan): Taking {
    const namesOf = (ids: readonly VmId[]): string[] =>
      ids.flatMap(id => this.#ports.vms.get(id)?.spec.name ?? []);
    return { belowTarget: namesOf(belowTarget), takenKib, givenTo: namesOf(givenTo) };
  }

  /** Observed, not planned: a balloon that takes memory need not give the host any (M8). */
  #taken(moves: readonly VmMove[]): Taken {
    let takenKib = 0;
    let returnedKib: number | null = 0;
    for (const { vmId, fromKib, residentKib } of moves) {
      const vm = this.#ports.vms.get(vmId);
      const tookKib = fromKib - (vm?.actualKib ?? fromKib);
      if (vm === undefined || tookKib <= 0) continue;
      takenKib += tookKib;
      const gaveKib = residentKib === null || vm.residentKib === null ? null : residentKib - vm.residentKib;
      returnedKib =
        gaveKib === null || returnedKib === null
          ? null
          : returnedKib + Math.min(tookKib, Math.max(0, gaveKib));
    }
    return { takenKib, returnedKib };
  }

  /** Tells of the host: a sentence that is no VM's move. */
  tell(text: string): void {
    this.#append(text, 'note', 'note', [], null);
  }

  note(text: string, result: 'refused' | 'note', vm: TrackedVm): void {
    const { id: vmId, actualKib, bootKib, targetKib, residentKib } = vm;
    const [fromKib, toKib] = [actualKib ?? bootKib, targetKib ?? bootKib];
    const move = { vmId, vmName: vm.spec.name, fromKib, toKib, residentKib };
    this.#append(text, result, result, [move], null);
  }

  #append(
    text: string,
    cause: string,
    result: LedgerEntry['result'],
    moves: readonly VmMove[],
    input: unknown,
  ): void {
    const entry: LedgerEntry = {
      seq: this.#ports.journal.nextSeq(),
      at: this.#ports.clock.wallMs(),
      cause: cause.slice(0, 100),
      text: text.slice(0, 1000),
      moves: moves.map(({ residentKib: _, ...move }) => ({
        ...move,
        kind: move.toKib < move.fromKib ? ('take' as const) : ('give' as const),
      })),
      result,
    };
    this.#ports.journal.append(entry, input);
    this.#ports.told(entry);
  }
}
