// Changes of a VM's range that can be taken back: the last change can be undone, and a trial ends by itself
// unless it is kept. The range to go back to is stored with the change: a trial ends even if control died.

import type { VmId } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import { type MemoryRange, type RangeUndo, type RangeUndos, sameRange } from '../../../shared/memory.ts';
import { Fault } from '../../../shared/result.ts';
import { amountText } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import { orLater } from '../store/unwritten.ts';
import type { RangeStore } from './range-store.ts';

/** A clock that jumped must not make a trial last for ever. */
const TRIAL_MAX_MS = 600_000;
const RETRY_MS = 10_000;
/** A timer stands still while this computer sleeps; the wall clock does not. */
const LOOK_MS = 5_000;

export interface RangeDeskPorts {
  readonly clock: Clock;
  readonly store: RangeStore;
  /** Faults: vm.not-found. */
  readonly specOf: (vmId: VmId) => Pick<VmSpec, 'name' | 'minKib' | 'maxKib'>;
  /** Checks, stores and replans. Faults: memory.bad-range, memory.over-host, memory.over-cap. */
  readonly setRange: (vmId: VmId, range: MemoryRange) => void;
  /** Brings back into force what is stored: `setRange` may have told of a range that the disk did not take. */
  readonly undone?: () => void;
  /** Into the ledger. */
  readonly tell: (text: string) => void;
  /** A trial ended by itself: for the audit. */
  readonly trialEnded?: (vmId: VmId, from: MemoryRange, to: MemoryRange) => void;
  /** What can be undone has changed, or a trial began or ended. */
  readonly changed: () => void;
  readonly log: Log;
}

const rangeText = ({ minKib, maxKib }: MemoryRange): string =>
  `${amountText(minKib)} – ${amountText(maxKib)}`;

export class RangeDesk {
  readonly #ports: RangeDeskPorts;
  readonly #timers = new Map<VmId, Timer>();

  constructor(ports: RangeDeskPorts) {
    this.#ports = ports;
  }

  /** Takes up the trials that the last control left: over, or going on. */
  begin(): void {
    const { store, clock, log } = this.#ports;
    for (const { vmId, trialEndsAt } of store.all()) {
      if (!this.#isThere(vmId)) orLater(() => store.drop(vmId), `ranges of ${vmId}, deleted`, log);
      else if (trialEndsAt !== null) this.#endIn(vmId, trialEndsAt - clock.wallMs());
    }
    this.#ports.changed();
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** The range that undoing would bring back (null: none), and when a trial ends (null: no trial). */
  undoOf(vmId: VmId): RangeUndo {
    const { before = null, trialEndsAt = null } = this.#ports.store.get(vmId) ?? {};
    return { before, trialEndsAt };
  }

  all(): RangeUndos {
    return { ranges: this.#ports.store.all().filter(({ vmId }) => this.#isThere(vmId)) };
  }

  /** Sets the range for good. After a trial, undoing brings back the range from before the trial. */
  set(vmId: VmId, range: MemoryRange): void {
    if (sameRange(range, this.#ports.specOf(vmId)) && !this.#timers.has(vmId)) return;
    const before = this.#before(vmId);
    this.#change(vmId, range, { before, trialEndsAt: null });
    this.#cancel(vmId);
  }

  /** Sets the range until it is kept or `forMs` is over. */
  try(vmId: VmId, range: MemoryRange, forMs: number): void {
    const before = this.#before(vmId);
    const lastsMs = Math.min(forMs, TRIAL_MAX_MS);
    this.#change(vmId, range, { before, trialEndsAt: this.#ports.clock.wallMs() + lastsMs });
    this.#endIn(vmId, lastsMs);
  }

  /** Faults: memory.no-change. */
  keep(vmId: VmId): void {
    const { store, specOf } = this.#ports;
    const { name } = specOf(vmId);
    const undo = store.get(vmId);
    if (undo === undefined || undo.trialEndsAt === null) throw nothing(name, 'is being tried');
    store.put(vmId, { ...undo, trialEndsAt: null });
    this.#cancel(vmId);
    this.#ports.changed();
  }

  /** Undoing twice redoes the change. Faults: memory.no-change, and those of setRange. */
  undo(vmId: VmId): void {
    const { store, specOf } = this.#ports;
    const spec = specOf(vmId);
    const undo = store.get(vmId);
    if (undo === undefined) throw nothing(spec.name, 'can be undone');
    this.#change(vmId, undo.before, { before: spec, trialEndsAt: null });
    this.#cancel(vmId);
  }

  /** The range to go back to; during a trial the one from before the trial. */
  #before(vmId: VmId): MemoryRange {
    const undo = this.#ports.store.get(vmId);
    const { minKib, maxKib } = this.#ports.specOf(vmId);
    return undo === undefined || undo.trialEndsAt === null ? { minKib, maxKib } : undo.before;
  }

  #change(
    vmId: VmId,
    range: MemoryRange,
    { before, trialEndsAt }: RangeUndo & { before: MemoryRange },
  ): void {
    const { store, setRange } = this.#ports;
    const { minKib, maxKib } = before;
    this.#together(() => {
      if (sameRange(before, range)) store.drop(vmId);
      else store.put(vmId, { before: { minKib, maxKib }, trialEndsAt });
      setRange(vmId, range);
    });
    this.#ports.changed();
  }

  #together(work: () => void): void {
    const { store, undone } = this.#ports;
    try {
      store.together(work);
    } catch (cause) {
      undone?.();
      throw cause;
    }
  }

  #endIn(vmId: VmId, delayMs: number): void {
    this.#cancel(vmId);
    const { clock } = this.#ports;
    const lastsMs = Math.min(Math.max(0, delayMs), TRIAL_MAX_MS);
    const [endsAtMs, wallEndsAtMs] = [clock.monotonicMs() + lastsMs, clock.wallMs() + lastsMs];
    const wait = (): void => {
      const leftMs = Math.max(0, Math.min(endsAtMs - clock.monotonicMs(), wallEndsAtMs - clock.wallMs()));
      const timer = clock.after(Math.min(leftMs, LOOK_MS), () =>
        leftMs <= LOOK_MS ? this.#end(vmId) : wait(),
      );
      this.#timers.set(vmId, timer);
    };
    wait();
  }

  #cancel(vmId: VmId): void {
    this.#timers.get(vmId)?.cancel();
    this.#timers.delete(vmId);
  }

  /** The trial was not kept. Runs in a timer: nothing may be thrown, and what fails is tried again. */
  #end(vmId: VmId): void {
    this.#timers.delete(vmId);
    try {
      this.#goBack(vmId);
      this.#ports.changed();
    } catch (cause) {
      this.#ports.log(`ending a trial of ${vmId}: ${String(cause)}`, 'warn');
      this.#endIn(vmId, RETRY_MS);
    }
  }

  /** Where the old range is no longer allowed, the tried one stays. */
  #goBack(vmId: VmId): void {
    const { store, specOf, setRange, tell } = this.#ports;
    const undo = store.get(vmId);
    if (undo === undefined || undo.trialEndsAt === null) return;
    if (!this.#isThere(vmId)) return store.drop(vmId);
    const { name, minKib, maxKib } = specOf(vmId);
    try {
      this.#together(() => {
        store.drop(vmId);
        setRange(vmId, undo.before);
      });
    } catch (cause) {
      if (!(cause instanceof Fault) || !/^(?:memory|policy)\./.test(cause.body.code)) throw cause;
      store.drop(vmId);
      return tell(
        `The range of ${name} stays ${rangeText(specOf(vmId))}: ${rangeText(undo.before)}, which it was before the trial, is no longer allowed.`,
      );
    }
    this.#ports.trialEnded?.(vmId, { minKib, maxKib }, undo.before);
    tell(`The range of ${name} is ${rangeText(undo.before)} again: what was tried was not kept.`);
  }

  #isThere(vmId: VmId): boolean {
    try {
      this.#ports.specOf(vmId);
      return true;
    } catch {
      return false;
    }
  }
}

const nothing = (name: string, what: string): Fault =>
  new Fault({
    code: 'memory.no-change',
    what: `No change of the range of "${name}" ${what}.`,
    safe: 'Nothing was changed.',
    todo: 'Set the range you want.',
  });
