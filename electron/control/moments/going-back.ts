// Going back as one thing: disks, UEFI variables, TPM state, memory (L4), and where wanted how the VM is set up. What is to
// be done is noted before the first of it is, and what the present has beside its disks lies ready to go with the branch
// that keeps it; each step can be done twice, so whoever finds the note, this control or the next, does them all. A death
// before the note leaves the VM as it was; storage's refusal does, too. Where going back is not allowed (any more), a note
// is carried out only if storage moved the disks for it: never new firmware with old disks (L4). Else it is dropped.
//
//   present copied → note durable → disks (storage, once by its order) → present kept → firmware, TPM → setup → memory → note gone
import * as z from 'zod';
import type { Configuration } from '../../../shared/configuration.ts';
import type { ErrorCode } from '../../../shared/errors.ts';
import { type MomentId, momentIdSchema, pointIdSchema, type VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment, Timeline } from '../../../shared/timeline.ts';
import type { SmallFiles } from '../../platform/small-files.ts';
import type { StorageClient } from '../../storage/client.ts';
import { isoNameOf } from '../machines/installer.ts';
import type { Machines } from '../machines/machines.ts';
import type { Step } from '../tasks/tasks.ts';
import type { RunRecord } from '../vm/run-record.ts';
import { withEmptyDrive } from '../vm/spec-to-argv.ts';
import { type Draft, type ExtrasShelf, fits, type Kept } from './extras.ts';

const noteSchema = z.object({
  momentId: momentIdSchema,
  /** Of its first disk: what is kept of the moment is by that name. */
  pointId: pointIdSchema,
  orderId: momentIdSchema,
  keepName: z.string(),
  resume: z.boolean(),
  configuration: z.enum(['keep', 'restore']).default('keep'),
  /** Name of the folder that holds what the present has beside its disks. */
  present: z.string(),
});
type Note = z.infer<typeof noteSchema>;

export interface GoBackPorts extends Pick<SmallFiles, 'readJson' | 'writeJson' | 'removeFile'> {
  readonly machines: Pick<Machines, 'kept' | 'open' | 'requireOff' | 'moveDisks' | 'spec' | 'supervisor'>;
  readonly storage: Pick<StorageClient, 'call'>;
  readonly shelf: ExtrasShelf;
  readonly home: (vmId: VmId) => string;
  readonly uuid: () => string;
  /** As far as this host and its policy allow it today. */
  readonly restoreSetup: (vmId: VmId, then: Configuration) => void;
  /** The next start makes new ones. */
  readonly forgetVars: (vmId: VmId) => void;
  readonly keepPresent: (moment: Moment, draft: Draft, vmId: VmId) => void;
  /** Fault policy.denied. */
  readonly requireAllowed: () => void;
  /** What became of one that was left half-done: nobody calls for it now. */
  readonly tell: (found: Found) => void;
  readonly log: (line: string) => void;
}

export interface Found {
  readonly vmId: VmId;
  readonly momentId: MomentId;
  /** Null: it is done; else why it is not, and the VM is as it was. */
  readonly code: ErrorCode | null;
}

export interface WantedGoBack {
  readonly vmId: VmId;
  readonly momentId: MomentId;
  readonly keepName: string;
  /** Of a moment with memory: its machine waits to be resumed. */
  readonly resume: boolean;
  /** `restore`: the VM is set up as it was then. */
  readonly configuration: 'keep' | 'restore';
}

const notePath = (home: string): string => `${home}/going-back.json`;
/** Storage's own refusals of a going back; whatever else it says leaves nobody sure whether the disks were moved. */
const REFUSALS: readonly string[] = [
  'moment.not-found',
  'vm.wrong-state',
  'disk.in-use',
  'disk.full',
  'disk.io',
];
/** And those that tell that one was never carried out (`#haveMoved`). */
const NEVER: readonly string[] = ['moment.not-found', 'disk.in-use'];
/** Its disks did not open: nobody knows what was done to them before. */
class NotOpen extends Error {}
/** Storage will not: the VM is as it was, and the note is gone. */
class Refused extends Fault {}

export class GoingBack {
  readonly #ports: GoBackPorts;
  /** Under way, by this control. */
  readonly #doing = new Map<VmId, Promise<unknown>>();

  constructor(ports: GoBackPorts) {
    this.#ports = ports;
  }

  /** T7. True: its memory waits to be resumed (L4); without `resume` the VM is off, as after a power cut. */
  async goBack(wanted: WantedGoBack, step: Step): Promise<boolean> {
    const { vmId } = wanted;
    await this.finish(vmId);
    return this.#alone(vmId, async () => {
      this.#ports.machines.requireOff(vmId, 'going back');
      this.#ports.requireAllowed();
      step('keeping the present');
      return this.#carryOut(vmId, await this.#begin(wanted), step);
    });
  }

  /** What this control or the one before it left half-done; at once where that is nothing. Faults: those of storage. */
  async finish(vmId: VmId): Promise<void> {
    await this.#alone(vmId, async () => {
      const noted = noteSchema.safeParse(this.#ports.readJson(notePath(this.#ports.home(vmId))));
      if (noted.success) await this.#finishNoted(vmId, noted.data);
    });
  }

  async #finishNoted(vmId: VmId, note: Note): Promise<void> {
    const { shelf, tell, log } = this.#ports;
    const { momentId } = note;
    const found = { vmId, momentId };
    const denied = this.#denied();
    if (denied !== null && !(await this.#haveMoved(vmId, note))) {
      log(`vm ${vmId}: going back to ${momentId} had not begun and is not allowed: ${denied.body.what}`);
      tell({ ...found, code: denied.body.code });
      this.#forget(vmId);
      return shelf.drop(shelf.draftNamed(vmId, note.present));
    }
    log(`vm ${vmId}: going back to ${momentId} is finished`);
    try {
      await this.#carryOut(
        vmId,
        note,
        () => undefined,
        () => tell({ ...found, code: null }),
      );
    } catch (cause) {
      if (cause instanceof Refused) tell({ ...found, code: cause.body.code });
      throw cause;
    }
  }

  #denied(): Fault | null {
    try {
      this.#ports.requireAllowed();
      return null;
    } catch (cause) {
      if (cause instanceof Fault) return cause;
      throw cause;
    }
  }

  /**
   * By that order, to that point, and Now still hangs off it. Told again with a point there is not, storage does nothing
   * where the order was carried out, and refuses where it was not.
   */
  async #haveMoved(vmId: VmId, { momentId, pointId, ...order }: Note): Promise<boolean> {
    const { machines, uuid } = this.#ports;
    const { keepName, orderId } = order;
    try {
      await machines.open(vmId);
      const nowhere = { momentId: momentIdSchema.parse(uuid()), keepName, orderId };
      const { moments, trash, nowParentId } = await machines.moveDisks(vmId, nowhere);
      const now = [...moments, ...trash].find(({ id }) => id === nowParentId);
      return now?.id === momentId && now.points[0]?.pointId === pointId;
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      if (NEVER.includes(cause.body.code)) return false;
      throw unfinished(cause);
    }
  }

  /** Before anybody is served. One VM's trouble keeps no other waiting: it is tried again before it starts. */
  async finishAll(): Promise<void> {
    for (const { spec } of this.#ports.machines.kept())
      await this.finish(spec.id).catch((cause: unknown) => {
        this.#ports.log(`vm ${spec.id}: going back is not finished: ${String(cause)}`);
      });
  }

  /** One after the other: what the second finds is what the first left. */
  async #alone<T>(vmId: VmId, work: () => Promise<T>): Promise<T> {
    const before = this.#doing.get(vmId) ?? Promise.resolve();
    const doing = before.then(work, work);
    this.#doing.set(vmId, doing);
    try {
      return await doing;
    } finally {
      if (this.#doing.get(vmId) === doing) this.#doing.delete(vmId);
    }
  }

  async #begin({ vmId, ...wanted }: WantedGoBack): Promise<Note> {
    const { storage, shelf, home, writeJson, uuid } = this.#ports;
    const timeline = await storage.call('timeline.get', { vmId });
    const pointId = firstPoint(timeline.moments, wanted.momentId);
    await this.#keepState(timeline, wanted.keepName);
    const draft = shelf.draft(vmId);
    shelf.copyState(vmId, draft);
    const orderId = momentIdSchema.parse(uuid());
    const note = { ...wanted, pointId, orderId, present: draft.name };
    writeJson(notePath(home(vmId)), note);
    return note;
  }

  /** T7: storage keeps what changed on the disks; where nothing did, a branch of firmware and TPM state alone is made here (L4). */
  async #keepState(timeline: Timeline, name: string): Promise<void> {
    const { storage, shelf, keepPresent } = this.#ports;
    const { vmId, moments, trash, nowParentId } = timeline;
    const now = [...moments, ...trash].find(({ id }) => id === nowParentId);
    if (await shelf.isStateOf(vmId, now?.points[0]?.pointId ?? null)) return;
    if (nowParentId !== null && (await this.#haveDisksChanged(vmId, nowParentId, null))) return;
    if (now !== undefined && (await this.#isKeptElsewhere(timeline, now))) return;
    const draft = shelf.draft(vmId);
    try {
      shelf.copyState(vmId, draft);
      keepPresent(await storage.call('moment.take', { vmId, name, note: '', kind: 'kept' }), draft, vmId);
    } catch (cause) {
      shelf.drop(draft);
      throw cause;
    }
  }

  /**
   * A point that brings no state of its own leaves whatever there is: going back to any point of this state and then to it is
   * the present again. Any other is the present only together with its disks, as the branch of an earlier leaving has them.
   */
  async #isKeptElsewhere({ vmId, moments }: Timeline, now: Moment): Promise<boolean> {
    const { shelf } = this.#ports;
    const bringsState = ({ points: [point] }: Moment): boolean =>
      point !== undefined && shelf.has(vmId, point.pointId);
    const isAnyEnough = !bringsState(now);
    for (const one of moments.toReversed()) {
      if (!bringsState(one) || !(isAnyEnough || one.parentId === now.id)) continue;
      if (!(await shelf.isStateOf(vmId, one.points[0]?.pointId ?? null))) continue;
      if (isAnyEnough || !(await this.#haveDisksChanged(vmId, now.id, one.id))) return true;
    }
    return false;
  }

  async #haveDisksChanged(vmId: VmId, fromId: MomentId, toId: MomentId | null): Promise<boolean> {
    const { disks } = await this.#ports.storage.call('moment.compare', { vmId, fromId, toId });
    return disks.some(({ difference }) => difference.bytes > 0);
  }

  /** `done` before the note goes: a death in between has it told twice, never not at all. */
  async #carryOut(vmId: VmId, note: Note, step: Step, done = (): void => undefined): Promise<boolean> {
    const { shelf } = this.#ports;
    const draft = shelf.draftNamed(vmId, note.present);
    const timeline = await this.#moveDisks(vmId, note, draft);
    this.#keepPresent(timeline, note, draft);
    shelf.restoreState(vmId, note.pointId);
    const kept = shelf.get(vmId, note.pointId);
    if (note.configuration === 'restore' && kept !== null) this.#ports.restoreSetup(vmId, kept.spec);
    if (kept !== null) this.#matchFirmware(vmId, kept);
    const isResumed = this.#placeMemory(vmId, note, note.resume ? kept : null, step);
    done();
    this.#forget(vmId);
    return isResumed;
  }

  /** L4: variables are of the firmware that wrote them; with another's, Secure Boot would not be what it says. */
  #matchFirmware(vmId: VmId, { spec }: Kept): void {
    const { machines, forgetVars } = this.#ports;
    if (machines.spec(vmId).firmware !== spec.firmware) forgetVars(vmId);
  }

  /** Durably: a note that a power cut brings back would undo what the VM did since. */
  #forget(vmId: VmId): void {
    const { home, writeJson, removeFile } = this.#ports;
    writeJson(notePath(home(vmId)), null);
    removeFile(notePath(home(vmId)));
  }

  /** A second time where it failed: it is done once, and the answer to that one says whether it was. */
  async #moveDisks(vmId: VmId, { momentId, keepName, orderId }: Note, draft: Draft): Promise<Timeline> {
    const { machines, shelf } = this.#ports;
    const move = async (): Promise<Timeline> => {
      await machines.open(vmId).catch((cause: unknown) => {
        throw new NotOpen('not open', { cause });
      });
      return machines.moveDisks(vmId, { momentId, keepName, orderId });
    };
    try {
      return await move().catch(move);
    } catch (thrown) {
      const cause = thrown instanceof NotOpen ? thrown.cause : thrown;
      if (!(cause instanceof Fault)) throw cause;
      if (thrown instanceof NotOpen || !REFUSALS.includes(cause.body.code)) throw unfinished(cause);
      this.#forget(vmId);
      shelf.drop(draft);
      throw new Refused(cause.body, cause);
    }
  }

  /** What the present had beside its disks belongs to the branch that keeps it (L4). */
  #keepPresent({ vmId, moments, trash }: Timeline, { orderId }: Note, draft: Draft): void {
    const { shelf, keepPresent } = this.#ports;
    if (!shelf.isThere(draft)) return;
    const kept = [...moments, ...trash].find(({ id }) => id === orderId);
    if (kept === undefined) shelf.drop(draft);
    else keepPresent(kept, draft, vmId);
  }

  #placeMemory(vmId: VmId, { pointId }: Note, kept: Kept | null, step: Step): boolean {
    const { shelf, machines } = this.#ports;
    if (kept?.record == null || !fits(kept.spec, machines.spec(vmId))) return false;
    step('bringing back its memory');
    const record = withItsDrive(kept.record, isoNameOf(kept.spec) === isoNameOf(machines.spec(vmId)));
    machines.supervisor(vmId).placeSaved(record, to => shelf.linkMemory(vmId, pointId, to));
    return true;
  }
}

/** What was in its CD drive may have been taken out since. */
const withItsDrive = (record: RunRecord, isStillIn: boolean): RunRecord =>
  isStillIn ? record : { ...record, argv: withEmptyDrive(record.argv) };

/** Faults: moment.not-found. */
export function firstPoint(moments: readonly Moment[], momentId: MomentId) {
  const pointId = moments.find(({ id }) => id === momentId)?.points[0]?.pointId;
  if (pointId !== undefined) return pointId;
  throw new Fault({
    code: 'moment.not-found',
    what: 'There is no such point any more.',
    safe: 'Nothing was changed.',
    todo: 'Look at the history again.',
  });
}

const unfinished = (cause: Fault): Fault =>
  new Fault({
    ...cause.body,
    safe: 'Nothing is lost. Going back is finished before the VM starts or another point is taken.',
  });
