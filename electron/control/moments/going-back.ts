// Going back as one thing: disks, UEFI variables, TPM state, memory (L4), and, where wanted, the VM's setup.
// A note of all that is to be done is written before the first step. By then, what the present has beside its
// disks is copied, to go with the branch that keeps the present. Each step can be done twice, so the control
// that finds the note, this one or the next, does them all. If control dies before the note, or storage
// refuses, the VM stays as it was. Where going back is not allowed (any more), a note is carried out only if
// storage has moved the disks for it: never new firmware with old disks (L4). Otherwise the note is dropped.
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
  /** The point of the moment's first disk: what is kept of the moment is by that name (extras.ts). */
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
  /** Restores the setup as far as this host and its policy allow it today. */
  readonly restoreSetup: (vmId: VmId, then: Configuration) => void;
  /** Removes the UEFI variables: the next start makes new ones. */
  readonly forgetVars: (vmId: VmId) => void;
  readonly keepPresent: (moment: Moment, draft: Draft, vmId: VmId) => void;
  /** Fault policy.denied. */
  readonly requireAllowed: () => void;
  /** Tells what became of a going back that was left half-done: no caller waits for it now. */
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
  /** Where the moment has memory: the VM is left suspended with it. */
  readonly resume: boolean;
  /** `restore`: the VM is set up as it was then. */
  readonly configuration: 'keep' | 'restore';
}

const notePath = (home: string): string => `${home}/going-back.json`;
/** Storage's refusals of a going back. After any other error nobody knows whether the disks were moved. */
const REFUSALS: readonly string[] = [
  'moment.not-found',
  'vm.wrong-state',
  'disk.in-use',
  'disk.full',
  'disk.io',
];
/** Refusals that tell that an order was never carried out (`#haveMoved`). */
const NEVER: readonly string[] = ['moment.not-found', 'disk.in-use'];
/** The VM's disks did not open: nobody knows what was done to them before. */
class NotOpen extends Error {}
/** Storage refused: the VM is as it was, and the note is gone. */
class Refused extends Fault {}

export class GoingBack {
  readonly #ports: GoBackPorts;
  /** What this control has under way, by VM. */
  readonly #doing = new Map<VmId, Promise<unknown>>();

  constructor(ports: GoBackPorts) {
    this.#ports = ports;
  }

  /** T7. True: the VM's memory waits to be resumed (L4); without `resume` it is off, as after a power cut. */
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

  /** Finishes what this control or the last left half-done, if anything. Faults: those of storage. */
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
   * Whether storage moved the disks by that order to that point, and Now still hangs off it. Storage is sent
   * the order again, with a point that does not exist: it does nothing where the order was carried out, and
   * refuses where it was not.
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

  /** Before anybody is served. A VM that fails keeps no other waiting: it is tried again before it starts. */
  async finishAll(): Promise<void> {
    for (const { spec } of this.#ports.machines.kept())
      await this.finish(spec.id).catch((cause: unknown) => {
        this.#ports.log(`vm ${spec.id}: going back is not finished: ${String(cause)}`);
      });
  }

  /** One work at a time for each VM: what the second finds is what the first left. */
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

  /** T7: storage keeps changes on disks; if only firmware or TPM state changed, this makes a branch (L4). */
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
   * Whether another moment keeps the present's firmware and TPM state. If Now's point brings no state of its
   * own, going back to it leaves whatever there is; so any moment of this state will do: going back to that
   * and then to Now's point gives the present. Otherwise only a child of Now's point with this state and the
   * same disks will do, such as the branch that an earlier going back kept.
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

  /** `done` is called before the note goes: if control dies in between it is told twice, never not at all. */
  async #carryOut(vmId: VmId, note: Note, step: Step, done = (): void => undefined): Promise<boolean> {
    const { shelf } = this.#ports;
    const draft = shelf.draftNamed(vmId, note.present);
    const timeline = await this.#moveDisks(vmId, note, draft);
    try {
      return this.#follow(timeline, note, { draft, step, done });
    } catch (cause) {
      // The disks were moved: now nothing is as it was, and the rest waits.
      throw cause instanceof Fault ? unfinished(cause) : cause;
    }
  }

  /** All that comes after the disks. */
  #follow(
    timeline: Timeline,
    note: Note,
    { draft, step, done }: { readonly draft: Draft; readonly step: Step; readonly done: () => void },
  ): boolean {
    const { shelf } = this.#ports;
    const { vmId } = timeline;
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

  /** L4: variables belong to the firmware that wrote them; with other firmware Secure Boot would be a lie. */
  #matchFirmware(vmId: VmId, { spec }: Kept): void {
    const { machines, forgetVars } = this.#ports;
    if (machines.spec(vmId).firmware !== spec.firmware) forgetVars(vmId);
  }

  /** Removes the note durably: if a power cut brought it back, it would undo what the VM did since. */
  #forget(vmId: VmId): void {
    const { home, writeJson, removeFile } = this.#ports;
    writeJson(notePath(home(vmId)), null);
    removeFile(notePath(home(vmId)));
  }

  /** Tried twice: storage carries an order out once, so the second answer says whether it was done. */
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

/** The medium in the CD drive may have been taken out since. */
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
