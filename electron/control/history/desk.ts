// Takes automatic points when they are due, and thins them out afterwards: once a minute, one VM after the
// other. due.ts and retain.ts decide; the desk acts, and stores what happened to a VM before it looks at the
// next one.
import type { HistoryState, Look, Schedule } from '../../../shared/history.ts';
import { DEFAULT_SCHEDULE } from '../../../shared/history.ts';
import type { MomentId, PointId, VmId } from '../../../shared/ids.ts';
import { Fault, messageOf } from '../../../shared/result.ts';
import type { Moment, Timeline } from '../../../shared/timeline.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import { orLater } from '../store/unwritten.ts';
import { latestSlot, nextSlots } from './calendar.ts';
import { Cleaner, type CleanerPorts } from './cleaner.ts';
import { type Due, due, isSaving, type Power, type Present } from './due.ts';
import { SettleHold, type SettleHoldPorts } from './settle-hold.ts';
import type { HistoryStore, StoredHistory } from './store.ts';

const LOOK_MS = 60_000;

export interface HistoryDeskPorts
  extends Pick<CleanerPorts, 'timeline' | 'cost' | 'drop' | 'thinning' | 'zone'>,
    SettleHoldPorts {
  readonly clock: Clock;
  readonly store: HistoryStore;
  /** Fault vm.not-found. */
  readonly checkVm: (vmId: VmId) => void;
  readonly isThere: (vmId: VmId) => boolean;
  /** It can be taken back from the trash, and then has its schedule again. */
  readonly isTrashed: (vmId: VmId) => boolean;
  /** Its guest may write. */
  readonly isRunning: (vmId: VmId) => boolean;
  /** A task under way changes the VM. */
  readonly isBusy: (vmId: VmId) => boolean;
  /** The points that tasks and programs are reading. */
  readonly inUse: () => ReadonlySet<PointId>;
  readonly power: () => Power;
  readonly changeSpacingMs: () => number;
  /** Bytes changed since that moment, exactly. */
  readonly changedBytes: (vmId: VmId, sinceId: MomentId) => Promise<number>;
  readonly take: (vmId: VmId) => Promise<Moment>;
  /** IT's limits. `bound`: the schedule that takes effect. `wanted`: what to store (Fault policy.denied). */
  readonly rules: {
    readonly bound: (schedule: Schedule) => Schedule;
    readonly wanted: (wanted: Schedule, stored: Schedule) => Schedule;
    readonly heldDays: () => number;
    /** IT demands points: then a slot that passed is still made up for after the schedule was changed. */
    readonly isForced: () => boolean;
  };
  readonly vms: () => readonly VmId[];
  readonly changed: () => void;
  readonly log: (line: string) => void;
}

type Noted = Omit<Look, 'at'>;

export class HistoryDesk {
  readonly #ports: HistoryDeskPorts;
  readonly #cleaner: Cleaner;
  readonly #settleHold: SettleHold;
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;

  constructor(ports: HistoryDeskPorts) {
    this.#ports = ports;
    this.#settleHold = new SettleHold(ports);
    this.#cleaner = new Cleaner({
      ...ports,
      nowMs: () => ports.clock.wallMs(),
      heldDays: ports.rules.heldDays,
      protectedOf: vmId => ({ inUse: ports.inUse(), spared: new Set(this.#stored(vmId).spared) }),
    });
  }

  begin(): void {
    const { clock, changed } = this.#ports;
    this.#dropGone();
    this.#timer = clock.every(LOOK_MS, () => void this.look());
    changed();
    void this.look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** Which VMs there are has changed. */
  tell(): void {
    this.#ports.changed();
  }

  state(vmId: VmId): HistoryState {
    this.#ports.checkVm(vmId);
    const { last, lastDrop } = this.#stored(vmId);
    const schedule = this.#schedule(vmId);
    const { clock, zone } = this.#ports;
    const [nextAt = null] = schedule.isOn ? nextSlots(schedule, clock.wallMs(), zone, 1) : [];
    return { vmId, schedule, nextAt, last, lastDrop };
  }

  all(): HistoryState[] {
    const { store, vms } = this.#ports;
    return vms().flatMap(vmId =>
      store.get(vmId) !== undefined || this.#schedule(vmId).isOn ? [this.state(vmId)] : [],
    );
  }

  /** Counts from the next slot on: unless IT demands points, a slot that passed before is not made up for. */
  set(vmId: VmId, wanted: Schedule): HistoryState {
    const { checkVm, clock, zone, changed, rules } = this.#ports;
    checkVm(vmId);
    const stored = this.#stored(vmId);
    const schedule = rules.wanted(wanted, stored.schedule);
    const settledAt = rules.isForced()
      ? stored.settledAt
      : latestSlot(rules.bound(schedule), clock.wallMs(), zone);
    this.#put(vmId, { ...stored, schedule, settledAt });
    changed();
    return this.state(vmId);
  }

  preview(vmId: VmId, schedule: Schedule | null) {
    this.#ports.checkVm(vmId);
    const { bound } = this.#ports.rules;
    return this.#cleaner.preview(vmId, schedule === null ? this.#schedule(vmId) : bound(schedule));
  }
  offer(vmId: VmId, alsoPersons: boolean) {
    this.#ports.checkVm(vmId);
    return this.#cleaner.offer(vmId, alsoPersons);
  }
  clean(vmId: VmId, momentIds: readonly MomentId[]) {
    this.#ports.checkVm(vmId);
    return this.#cleaner.clean(vmId, momentIds);
  }

  /** A person took this point back from the trash: retention must not drop it again. */
  spare(vmId: VmId, { id, kind }: Pick<Moment, 'id' | 'kind'>): void {
    const stored = this.#stored(vmId);
    if (kind !== 'automatic' || stored.spared.includes(id)) return;
    this.#put(vmId, { ...stored, spared: [...stored.spared, id].slice(-5000) });
  }

  /** A person wants the VM settled on battery, too, until the battery has been charged again. */
  settleAnyway(vmId: VmId): Promise<void> {
    return this.#settleHold.lift(vmId);
  }

  /** Looks at every VM once. A call while a look is under way joins that look. */
  look(): Promise<void> {
    const failed = (cause: unknown): void => this.#ports.log(`history: ${messageOf(cause)}`);
    this.#looking ??= this.#lookAtAll()
      .catch(failed)
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }

  #dropGone(): void {
    const { store, isThere, isTrashed, log } = this.#ports;
    for (const { vmId } of store.all())
      if (!isThere(vmId) && !isTrashed(vmId))
        orLater(() => store.drop(vmId), `history of ${vmId}, deleted`, log);
  }

  async #lookAtAll(): Promise<void> {
    const { vms, isThere, log } = this.#ports;
    this.#dropGone();
    const power = this.#ports.power();
    for (const vmId of vms()) {
      if (isThere(vmId))
        try {
          const schedule = this.#schedule(vmId);
          await this.#settleHold.tell(vmId, isSaving(schedule, power)).catch((cause: unknown) => {
            log(`history of ${vmId}: ${messageOf(cause)}`);
          });
          if (schedule.isOn) await this.#lookAt(vmId);
        } catch (cause) {
          log(`history of ${vmId}: ${messageOf(cause)}`);
        }
    }
  }

  async #lookAt(vmId: VmId): Promise<void> {
    const { settledAt } = this.#stored(vmId);
    const schedule = this.#schedule(vmId);
    const { clock, zone, isBusy, isRunning, power, changeSpacingMs } = this.#ports;
    const nowMs = clock.wallMs();
    const asked = { isBusy: isBusy(vmId), power: power(), changeSpacingMs: changeSpacingMs() };
    const present = { nowMs, zone, ...asked, changedBytes: null };
    // Most looks end here, without a question to storage.
    const mayChange = schedule.changedBytes !== null && isRunning(vmId);
    const blind = due(schedule, { settledAt, newestAt: null }, { ...present, roughBytes: null });
    if (blind.act === 'none' && !mayChange) return;
    try {
      const timeline = await this.#ports.timeline(vmId);
      const newestAt = timeline.moments.find(({ id }) => id === timeline.nowParentId)?.takenAt ?? null;
      const roughBytes = mayChange ? timeline.nowBytes : null;
      const decide = (more: Partial<Present>): Due =>
        due(schedule, { settledAt, newestAt }, { ...present, roughBytes, ...more });
      const first = decide({});
      const decided = first.act === 'ask' ? decide({ changedBytes: await this.#changed(timeline) }) : first;
      await this.#act(vmId, decided);
    } catch (cause) {
      const slot = latestSlot(schedule, nowMs, zone);
      // Storage that is away comes back: the slot is not settled, so that its point is still taken.
      const isAway = cause instanceof Fault && cause.body.code === 'storage.unavailable';
      this.#note(vmId, isAway ? null : slot, { ...failed(cause), momentId: null });
      throw cause;
    }
  }

  #changed(timeline: Timeline): Promise<number> {
    const { vmId, nowParentId, nowBytes } = timeline;
    return nowParentId === null ? Promise.resolve(nowBytes) : this.#ports.changedBytes(vmId, nowParentId);
  }

  async #act(vmId: VmId, decided: Due): Promise<void> {
    switch (decided.act) {
      case 'none':
      case 'ask':
        return;
      case 'wait':
        return this.#note(vmId, null, { ...plain('waiting', decided.reason), momentId: null });
      case 'skip': {
        this.#note(vmId, decided.slot, { ...plain('skipped', decided.reason), momentId: null });
        return this.#thin(vmId);
      }
      case 'take': {
        const { id } = await this.#ports.take(vmId);
        this.#note(vmId, decided.slot, { ...plain('took', decided.reason), momentId: id });
        this.#ports.log(`history of ${vmId}: took ${id} (${decided.reason})`);
        return this.#thin(vmId);
      }
    }
  }

  async #thin(vmId: VmId): Promise<void> {
    const count = await this.#cleaner.thin(vmId, this.#schedule(vmId));
    const stored = this.#stored(vmId);
    if (count === 0) return;
    this.#put(vmId, { ...stored, lastDrop: { at: this.#ports.clock.wallMs(), count } });
    this.#ports.changed();
    this.#ports.log(`history of ${vmId}: dropped ${count} into the trash`);
  }

  /** `slot`: the slot that this outcome settles; null: none. */
  #note(vmId: VmId, slot: number | null, noted: Noted): void {
    const stored = this.#stored(vmId);
    const { last } = stored;
    // An outcome that repeats while its slot waits is told once, not every minute.
    if (slot === null && last?.outcome === noted.outcome && last.reason === noted.reason) {
      if (noted.outcome === 'waiting' || noted.outcome === 'failed') return;
    }
    const at = this.#ports.clock.wallMs();
    this.#put(vmId, { ...stored, settledAt: slot ?? stored.settledAt, last: { at, ...noted } });
    this.#ports.changed();
  }

  /** The schedule that takes effect, within IT's limits. */
  #schedule(vmId: VmId): Schedule {
    return this.#ports.rules.bound(this.#stored(vmId).schedule);
  }

  #stored(vmId: VmId): StoredHistory {
    return (
      this.#ports.store.get(vmId) ?? {
        schedule: DEFAULT_SCHEDULE,
        last: null,
        lastDrop: null,
        settledAt: null,
        spared: [],
      }
    );
  }

  #put(vmId: VmId, stored: StoredHistory): void {
    this.#ports.store.put(vmId, stored);
  }
}

const plain = (outcome: Look['outcome'], reason: Look['reason']) => ({ outcome, reason, text: null });
const failed = (cause: unknown) =>
  ({ outcome: 'failed', reason: 'fault', text: messageOf(cause).slice(0, 2000) }) as const;
