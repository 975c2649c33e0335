// Decides which records the audit gets, and when: one before an audited change is made, and one of how it
// ended. No audited change is made without its record, except what makes room or makes safe: that goes on
// where the disk is full, and its record is written later.
import type { AuditEntry, AuditHead, AuditOutcome, AuditProblem } from '../../../shared/audit.ts';
import type { TaskId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import type { AuditLog } from './audit-log.ts';
import type { HeadStore } from './head-store.ts';

/** Records kept for later while nothing can be written; further ones are counted, not kept. */
const LATE_MAX = 1000;
/**
 * A denial that comes again within this time is counted, not written: a flood must not push out all other
 * records. Where it goes on or comes back, it is counted for twice as long each time, up to an hour; after an
 * hour without it, all begins anew.
 */
const DENIALS_TOGETHER_MS = 60_000;
const DENIALS_TOGETHER_MAX_MS = 3_600_000;
/** Beyond this many kinds, denials are counted together for each caller and code. */
const DENIAL_KINDS_MAX = 200;
const ENDED_KEPT = 200;
/** The action of a record that counts denials of several actions. */
const SEVERAL = 'audit.several';

export type Draft = Pick<AuditEntry, 'via' | 'by' | 'action' | 'vmId' | 'vmName' | 'from' | 'to'>;
/** Where no record can be written: `refuse`: the change is not made; `go-on`: it is, with a late record. */
export type IfFull = 'refuse' | 'go-on';

export interface Ending {
  readonly outcome: Exclude<AuditOutcome, 'begun'>;
  readonly code?: string | null;
  /** The values after the change, where they are known. */
  readonly to?: AuditEntry['to'];
}

/** A change that has begun. `seq` is the number of its record; null: that is not written yet. */
export interface Begun {
  readonly draft: Draft;
  seq: number | null;
  task: TaskId | null;
  /** Who cancelled it: maybe another than who began it. */
  cancelledBy?: string;
}

interface Late {
  readonly begun: Begun;
  readonly at: number;
  /** Null: the record of the beginning. */
  readonly ending: Ending | null;
  readonly times: number;
}

interface Denials {
  readonly code: string;
  forMs: number;
  timer: Timer | null;
  /** `forMs` passed without another denial: the next one is written at once. */
  isQuiet: boolean;
  times: number;
  /** What all denials since the last record have in common; null: none came. */
  common: Draft | null;
}

export interface AuditOptions {
  readonly log: AuditLog;
  readonly heads: HeadStore;
  readonly clock: Clock;
  readonly user: string;
  readonly told: (entry: AuditEntry) => void;
  readonly warn: (text: string) => void;
}

export class Audit {
  readonly #options: AuditOptions;
  readonly #open = new Map<number, Begun>();
  readonly #byTask = new Map<TaskId, Begun>();
  /** How tasks ended that did so before `becameTask` told their ids. */
  readonly #ended = new Map<TaskId, Ending>();
  readonly #denials = new Map<string, Denials>();
  #late: Late[] = [];
  #lost = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** Takes over what the last control left open. `isGoingOn`: the task is begun again, and will end. */
  begin(isGoingOn: (task: TaskId) => boolean): void {
    const { log, heads, warn } = this.#options;
    try {
      const known = heads.get();
      const head = known === null ? {} : { head: `${known.seq}:${known.hash}` };
      for (const problem of log.open()) this.#damaged(problem, head);
      if (log.adopted !== null)
        this.#found('audit.adopted', { record: log.adopted.seq, hash: log.adopted.hash });
      for (const entry of heads.open()) {
        const begun: Begun = { draft: entry, seq: entry.seq, task: entry.task };
        if (entry.task !== null && isGoingOn(entry.task)) this.#keepOpen(begun);
        else this.#append({ begun, at: this.#now(), ending: { outcome: 'unknown' }, times: 1 });
      }
    } catch (cause) {
      warn(`audit: it cannot be written: ${String(cause)}`);
    }
  }

  /** Is the end of the change whose beginning has this number still to come? */
  isOpen = (seq: number): boolean => this.#open.has(seq);

  get head(): AuditHead {
    const { seq, hash } = this.#options.log.head;
    return { seq, hash };
  }

  /** Records a change before it is made. Throws Fault audit.unwritable: then it must not be made. */
  start(draft: Draft, ifFull: IfFull): Begun {
    const begun: Begun = { draft, seq: null, task: null };
    this.#told({ begun, at: this.#now(), ending: null, times: 1 }, ifFull);
    return begun;
  }

  end(begun: Begun, ending: Ending): void {
    if (begun.task !== null) this.#byTask.delete(begun.task);
    this.#told({ begun, at: this.#now(), ending, times: 1 }, 'go-on');
  }

  /** The change goes on as a task; `taskEnded` tells its end. */
  becameTask(begun: Begun, task: TaskId): void {
    begun.task = task;
    const ending = this.#ended.get(task);
    this.#ended.delete(task);
    if (ending !== undefined) return this.end(begun, ending);
    this.#keepOpen(begun);
    if (begun.seq !== null)
      this.#remember({ ...this.#entry({ begun, at: 0, ending: null, times: 1 }), seq: begun.seq });
  }

  /** Somebody is about to cancel the task. */
  cancels(task: TaskId, { via, by }: Pick<Draft, 'via' | 'by'>): void {
    const begun = this.#byTask.get(task);
    if (begun !== undefined) begun.cancelledBy ??= by === undefined ? via : `${via}: ${by}`;
  }

  taskEnded(task: TaskId, ending: Ending): void {
    const begun = this.#byTask.get(task);
    if (begun !== undefined) return this.end(begun, ending);
    this.#ended.set(task, ending);
    for (const oldest of this.#ended.keys()) if (this.#ended.size > ENDED_KEPT) this.#ended.delete(oldest);
  }

  /** A single record: of what Ebb did by itself, or of what has no beginning of its own. */
  note(draft: Draft, ending: Ending = { outcome: 'done' }): void {
    this.#told({ begun: { draft, seq: null, task: null }, at: this.#now(), ending, times: 1 }, 'go-on');
  }

  /** Records a denial. Repeats are counted, so that a flood of them does not fill the audit. */
  denied(draft: Draft, code: string): void {
    const { via, by, action, vmId } = draft;
    const own = JSON.stringify([via, by, code, action, vmId]);
    const isBeyond = !this.#denials.has(own) && this.#denials.size >= DENIAL_KINDS_MAX;
    const key = isBeyond ? JSON.stringify([via, by, code]) : own;
    const known = this.#denials.get(key);
    if (known !== undefined && !known.isQuiet) {
      known.times++;
      known.common = known.common === null ? draft : inCommon(known.common, draft);
      return;
    }
    this.note(draft, { outcome: 'denied', code });
    known?.timer?.cancel();
    const forMs = known === undefined ? DENIALS_TOGETHER_MS : longer(known.forMs);
    this.#count(key, { code, forMs, timer: null, isQuiet: false, times: 0, common: null });
  }

  /** Control ends: denials that are only counted so far are written. */
  stop(): void {
    for (const { timer, code, common, times } of this.#denials.values()) {
      timer?.cancel();
      if (common !== null) this.#sum(common, code, times);
    }
    this.#denials.clear();
  }

  #count(key: string, denials: Denials): void {
    this.#denials.set(key, denials);
    denials.timer = this.#options.clock.after(denials.forMs, () => this.#counted(key, denials));
  }

  #counted(key: string, denials: Denials): void {
    const { code, common, times, forMs } = denials;
    if (common !== null) {
      this.#sum(common, code, times);
      return this.#count(key, { ...denials, times: 0, common: null, forMs: longer(forMs) });
    }
    denials.isQuiet = true;
    denials.timer = this.#options.clock.after(DENIALS_TOGETHER_MAX_MS, () => void this.#denials.delete(key));
  }

  #sum(draft: Draft, code: string, times: number): void {
    const begun = { draft, seq: null, task: null };
    this.#told({ begun, at: this.#now(), ending: { outcome: 'denied', code }, times }, 'go-on');
  }

  #now(): number {
    return this.#options.clock.wallMs();
  }

  /** Records damage, so that `verify` tells of it for as long as this record is there. */
  #damaged({ kind, fromSeq, toSeq, expected, found }: AuditProblem, head: Draft['to']): void {
    this.#options.warn(`audit: damaged: ${kind}, records ${fromSeq} to ${toSeq}`);
    this.#found('audit.damaged', { kind, fromSeq, toSeq, expected, found, ...head });
  }

  #found(action: string, to: Draft['to']): void {
    const draft = { via: 'service', action, vmId: null, vmName: '', from: {}, to } as const;
    this.#append({
      begun: { draft, seq: null, task: null },
      at: this.#now(),
      ending: { outcome: 'done' },
      times: 1,
    });
  }

  #told(late: Late, ifFull: IfFull): void {
    try {
      this.#catchUp();
      this.#append(late);
    } catch (cause) {
      if (ifFull === 'refuse') throw unwritable(late.begun.draft, cause);
      if (this.#late.length < LATE_MAX) this.#late.push(late);
      else this.#lost++;
      this.#options.warn(`audit: ${late.begun.draft.action} is written later: ${String(cause)}`);
    }
  }

  /** Writes the late records, in their order, before anything newer. */
  #catchUp(): void {
    for (let late = this.#late[0]; late !== undefined; late = this.#late[0]) {
      this.#append(late);
      this.#late.shift();
    }
    if (this.#lost === 0) return;
    const draft = { via: 'service', action: 'audit.lost', vmId: null, vmName: '', from: {}, to: {} } as const;
    const begun = { draft, seq: null, task: null };
    this.#append({ begun, at: this.#now(), ending: { outcome: 'done' }, times: this.#lost });
    this.#lost = 0;
  }

  #entry({ begun, at, ending, times }: Late): Omit<AuditEntry, 'seq'> {
    const { via, by, action, vmId, vmName, from, to } = begun.draft;
    const { user } = this.#options;
    const about = {
      at,
      via,
      user,
      ...(by === undefined ? {} : { by }),
      action,
      vmId,
      vmName: vmName.slice(0, 200),
      task: begun.task,
      from,
      times,
    };
    if (ending === null) return { ...about, to, outcome: 'begun', of: null, code: null };
    const { outcome, code = null } = ending;
    const { cancelledBy } = begun;
    const isAsked = outcome === 'cancelled' && cancelledBy !== undefined;
    const now = { ...(ending.to ?? to), ...(isAsked ? { cancelledBy } : {}) };
    return { ...about, to: now, outcome, of: begun.seq, code };
  }

  #append(late: Late): void {
    const { log, told } = this.#options;
    const entry = log.append(this.#entry(late));
    const { begun, ending } = late;
    if (ending === null) {
      begun.seq = entry.seq;
      this.#keepOpen(begun);
      this.#remember(entry);
    } else if (begun.seq !== null) {
      this.#open.delete(begun.seq);
      this.#forget(begun.seq);
    }
    told(entry);
  }

  #keepOpen(begun: Begun): void {
    if (begun.seq !== null) this.#open.set(begun.seq, begun);
    if (begun.task !== null) this.#byTask.set(begun.task, begun);
  }

  /** Stores a beginning for the next control. This control does without: a refusal of the disk is no harm. */
  #remember(entry: AuditEntry): void {
    this.#tried(() => this.#options.heads.addOpen(entry));
  }

  #forget(seq: number): void {
    this.#tried(() => this.#options.heads.dropOpen(seq));
  }

  #tried(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#options.warn(`audit: ${String(cause)}`);
    }
  }
}

const longer = (forMs: number): number => Math.min(2 * forMs, DENIALS_TOGETHER_MAX_MS);

/** What two denials of one caller and code have in common: what differs is left out. */
function inCommon(one: Draft, other: Draft): Draft {
  const { via, by, vmId, vmName } = one;
  const both = (a: Draft['to'], b: Draft['to']): Draft['to'] =>
    Object.fromEntries(Object.entries(a).filter(([key, value]) => b[key] === value));
  return {
    via,
    ...(by === undefined ? {} : { by }),
    action: one.action === other.action ? one.action : SEVERAL,
    ...(vmId === other.vmId ? { vmId, vmName } : { vmId: null, vmName: '' }),
    from: both(one.from, other.from),
    to: both(one.to, other.to),
  };
}

const unwritable = ({ action }: Draft, cause: unknown): Fault =>
  new Fault(
    {
      code: 'audit.unwritable',
      what: `${action} is not done without a record of it, and the audit cannot be written: ${cause instanceof Fault ? cause.body.what : String(cause)}`,
      safe: 'Nothing was changed. VMs run on; stopping, suspending and deleting go on.',
      todo: 'Free some space, or see that the audit folder of the data folder is yours alone; then repeat this.',
    },
    cause,
  );
