// Offers points of a history to clean up, previews what retention would drop, and drops points: only ever
// into the trash (T8).
import type { CleanUp, Frees, HistoryPreview, Schedule } from '../../../shared/history.ts';
import type { MomentId, VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment, MomentCost, Timeline } from '../../../shared/timeline.ts';
import type { Deleting } from '../points/old-trash.ts';
import { nextSlots, type Zone } from './calendar.ts';
import { freesInOrder } from './freeing.ts';
import { oldestFirst, type Protected, protections, type Retained, retain } from './retain.ts';

/** Each makes storage compare two images; beyond this many, merging counts as freeing nothing. */
const MERGED_ASKED_MAX = 500;
const PREVIEWED_TIMES = 3;

export interface CleanerPorts {
  readonly zone: Zone;
  readonly nowMs: () => number;
  readonly timeline: (vmId: VmId) => Promise<Timeline>;
  readonly cost: (vmId: VmId, momentId: MomentId) => Promise<MomentCost>;
  /** Moves the point into the trash. */
  readonly drop: (vmId: VmId, momentId: MomentId) => Promise<void>;
  /** Called by retention before it drops these points; what it answers is called afterwards. */
  readonly thinning: Deleting;
  readonly protectedOf: (vmId: VmId) => Protected;
  readonly heldDays: () => number;
}

export class Cleaner {
  readonly #ports: CleanerPorts;

  constructor(ports: CleanerPorts) {
    this.#ports = ports;
  }

  #retained(timeline: Timeline, { keep, quotaBytes }: Schedule): Retained {
    const { nowMs, zone, protectedOf, heldDays } = this.#ports;
    const limits = { keep, quotaBytes, heldDays: heldDays() };
    return retain(timeline, protectedOf(timeline.vmId), limits, nowMs(), zone);
  }

  async preview(vmId: VmId, schedule: Schedule): Promise<HistoryPreview> {
    const { nowMs, zone } = this.#ports;
    const timeline = await this.#ports.timeline(vmId);
    const { drop, quota } = this.#retained(timeline, schedule);
    const ids = drop.map(({ momentId }) => momentId);
    const told = new Map(timeline.moments.map(moment => [moment.id, moment]));
    return {
      nextAt: schedule.isOn ? nextSlots(schedule, nowMs(), zone, PREVIEWED_TIMES) : [],
      drop: drop.flatMap(({ momentId, why }) => {
        const moment = told.get(momentId);
        return moment === undefined ? [] : [{ ...named(moment), why }];
      }),
      frees: (await this.#frees(timeline, ids)).at(-1) ?? { freesNowBytes: 0, freesLaterBytes: 0 },
      quota,
    };
  }

  /** Drops the points that the schedule does not keep; answers how many. */
  async thin(vmId: VmId, schedule: Schedule): Promise<number> {
    const timeline = await this.#ports.timeline(vmId);
    const ids = new Set(this.#retained(timeline, schedule).drop.map(({ momentId }) => momentId));
    if (ids.size === 0) return 0;
    const dropped = timeline.moments.filter(({ id }) => ids.has(id));
    const gone = new Set<MomentId>();
    const ended = this.#ports.thinning(vmId, dropped);
    try {
      for (const id of ids) {
        await this.#ports.drop(vmId, id);
        gone.add(id);
      }
    } finally {
      ended(dropped.filter(({ id }) => gone.has(id)));
    }
    return ids.size;
  }

  /** `alsoPersons`: also points that somebody took or named, but never one pinned or one a line stands on. */
  async offer(vmId: VmId, alsoPersons: boolean): Promise<CleanUp> {
    const timeline = await this.#ports.timeline(vmId);
    const held = protections(timeline, this.#ports.protectedOf(vmId));
    const candidates = oldestFirst(timeline.moments).filter(({ id }) => {
      const why = held.get(id);
      return why === undefined || (alsoPersons && why === 'person');
    });
    const frees = await this.#frees(
      timeline,
      candidates.map(({ id }) => id),
    );
    const offered = new Set(candidates.map(({ id }) => id));
    return {
      candidates: candidates.map((moment, index) => ({
        ...named(moment),
        frees: frees[index] ?? { freesNowBytes: 0, freesLaterBytes: 0 },
      })),
      kept: [...held].flatMap(([momentId, because]) =>
        offered.has(momentId) ? [] : [{ momentId, because }],
      ),
    };
  }

  /** Drops all of these, or none where one may not go (any more). Answers what that frees. */
  async clean(vmId: VmId, momentIds: readonly MomentId[]): Promise<Frees> {
    const timeline = await this.#ports.timeline(vmId);
    const held = protections(timeline, this.#ports.protectedOf(vmId));
    const told = new Map(timeline.moments.map(moment => [moment.id, moment]));
    for (const id of momentIds) {
      const [moment, why] = [told.get(id), held.get(id)];
      if (moment === undefined) throw noPoint();
      if (why !== undefined && why !== 'person') throw stays(moment, why === 'pinned');
    }
    const frees = (await this.#frees(timeline, momentIds)).at(-1);
    for (const id of momentIds) await this.#ports.drop(vmId, id);
    return frees ?? { freesNowBytes: 0, freesLaterBytes: 0 };
  }

  async #frees(timeline: Timeline, order: readonly MomentId[]): Promise<Frees[]> {
    const merged = new Map<MomentId, number>();
    const loose = new Set(
      timeline.moments.flatMap(({ id, freesBytes }) => (freesBytes === null ? [] : [id])),
    );
    for (const id of order.filter(one => !loose.has(one)).slice(0, MERGED_ASKED_MAX))
      merged.set(id, (await this.#ports.cost(timeline.vmId, id)).freesLaterBytes);
    return freesInOrder(timeline, order, id => merged.get(id) ?? 0);
  }
}

const named = ({ id, name, takenAt }: Moment) => ({ momentId: id, name, takenAt });

const noPoint = (): Fault =>
  new Fault({
    code: 'moment.not-found',
    what: 'One of these points is not there any more.',
    safe: 'None was dropped.',
    todo: 'Look at the history again.',
  });

const stays = ({ name }: Moment, isPinned: boolean): Fault =>
  new Fault({
    code: isPinned ? 'moment.pinned' : 'disk.in-use',
    what: `${name === '' ? 'An automatic point' : `"${name}"`} ${isPinned ? 'is pinned' : 'is needed: Now or another line stands on it, or it is being read'}.`,
    safe: 'None was dropped.',
    todo: isPinned ? 'Unpin it first.' : 'Leave it out, or look at the history again.',
  });
