// Owns tasks, long work as people see it (DESIGN §7): id, step, progress, pause, cancel, and how it ended.
// Remembers a bounded number of ended tasks. A task with an order is journaled: where control dies in the
// middle of it, the next control begins it again under the same id.
import { type TaskId, taskIdSchema, type VmId } from '../../../shared/ids.ts';
import type { Log } from '../../../shared/log.ts';
import { Fault, stackOf } from '../../../shared/result.ts';
import type { Task, TaskKind } from '../../../shared/task.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { JournaledTask, TaskJournal } from '../store/task-journal.ts';
import { cannotPause, cannotResume, keepsEnding, mistake, noTask, tooMany } from './task-faults.ts';
import { TaskGate } from './task-gate.ts';

const ENDED_KEPT = 50;
/** How often a task is begun that is under way each time control dies. */
const ATTEMPTS_MAX = 3;
/** These tasks leave the VM as it is; an imported update becomes a point of its own. */
const READING: ReadonlySet<TaskKind> = new Set([
  'moment.export',
  'moment.import-delta',
  'vm.verify',
  'vm.compact',
]);

export interface Bytes {
  readonly done: number;
  readonly total: number;
}
export type Step = (words: string, bytes?: Bytes) => void;

/** What a task gives to its work. */
export interface TaskRun {
  readonly step: Step;
  readonly signal: AbortSignal;
  readonly gate: TaskGate;
  /** Control died in the middle of the task, and the work is begun once more. */
  readonly isAgain: boolean;
  /** What `mark` was last given before control died; null: nothing. */
  readonly stood: unknown;
  /** Journals how far the work has come: durable when it returns, unless the disk refuses. */
  readonly mark: (stood: unknown) => void;
}
export type Work = (run: TaskRun) => Promise<void>;

/** Of a task that made a file: its order, and what it marked last. */
export interface Made {
  readonly order: unknown;
  readonly stood: unknown;
}

export interface NewTask {
  readonly kind: TaskKind;
  readonly vmId: VmId | null;
  readonly title: string;
  readonly canCancel: boolean;
  readonly work: Work;
  /** What the work can be begun again from. Left out: the task ends with control. */
  readonly order?: unknown;
}

interface Running {
  readonly order: unknown;
  readonly abort: AbortController;
  readonly gate: TaskGate;
}

export class Tasks {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #journal: TaskJournal;
  readonly #changed: () => void;
  readonly #ended: (task: Task) => void;
  readonly #fileOf: (order: unknown) => string | null;
  readonly #log: Log;
  readonly #made = new Map<TaskId, Made>();
  readonly #tasks = new Map<TaskId, Task>();
  readonly #running = new Map<TaskId, Running>();
  readonly #held = new Set<VmId>();
  #isLeaving = false;

  constructor(options: {
    clock: Clock;
    random: Random;
    journal: TaskJournal;
    changed: () => void;
    /** Not called for tasks that go on with the next control. */
    ended?: (task: Task) => void;
    /** The name of the file that the order makes; null: it makes none. */
    fileOf?: (order: unknown) => string | null;
    log: Log;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#journal = options.journal;
    this.#changed = options.changed;
    this.#ended = options.ended ?? (() => undefined);
    this.#fileOf = options.fileOf ?? (() => null);
    this.#log = options.log;
  }

  list(): Task[] {
    return [...this.#tasks.values()].reverse();
  }

  /** What is known of a task that made a file; null: it made none, or is not remembered. */
  made(id: TaskId): Made | null {
    return this.#made.get(id) ?? null;
  }

  /** The orders of the tasks under way; undefined for a task that has none. */
  orders(): unknown[] {
    return [...this.#running.values()].map(({ order }) => order);
  }

  /** Does something under way change this VM, or (`alsoReading`) read it? */
  isBusy(vmId: VmId, alsoReading = false): boolean {
    return (
      this.#held.has(vmId) ||
      this.list().some(
        task => task.vmId === vmId && task.state === 'running' && (alsoReading || !READING.has(task.kind)),
      )
    );
  }

  /** For work without a task, whose caller waits for it: the VM is busy as long as the work takes. */
  async whileHeld<T>(vmId: VmId, work: () => Promise<T>): Promise<T> {
    this.#held.add(vmId);
    try {
      return await work();
    } finally {
      this.#held.delete(vmId);
    }
  }

  /** Answers at once; the work goes on. Fault limit.reached: the journal holds as many tasks as it may. */
  start({ canCancel, work, order, ...told }: NewTask): TaskId {
    const id = taskIdSchema.parse(this.#random.uuid());
    const noted = { ...told, startedAt: this.#clock.wallMs(), order };
    // A full disk stops no work: a task that could not be journaled (null) ends with control.
    if (order !== undefined && this.#noting(id, () => this.#journal.add(id, noted)) === false)
      throw tooMany();
    const fresh = { id, attempts: 0, isPaused: false, stood: null };
    void this.#run({ ...noted, ...fresh }, canCancel, false, work);
    return id;
  }

  /**
   * Begins the tasks that control died over, once what they left half-done is put away. `workOf` answers null
   * where this version does not understand the order.
   */
  beginAgain(workOf: (order: unknown) => Work | null): void {
    for (const noted of this.#journal.all()) {
      const work = workOf(noted.order);
      const why = work === null ? cannotResume : noted.attempts >= ATTEMPTS_MAX ? keepsEnding : null;
      if (why === null) this.#log(`task ${noted.id}: begun again: ${noted.title}`);
      void this.#run(noted, true, true, why === null && work !== null ? work : refusing(why?.(noted.title)));
    }
  }

  /**
   * Control ends in peace. Tasks under way go on with the next control, also those that fail now because
   * storage is gone already.
   */
  leave(): void {
    this.#isLeaving = true;
    this.#noting('all', () => this.#journal.forgive());
  }

  cancel(id: TaskId): void {
    this.#runningOf(id).abort.abort();
  }

  /** Fault vm.wrong-state: the step the task is in cannot be paused. */
  pause(id: TaskId): void {
    const { gate } = this.#runningOf(id);
    if (gate.isPaused) return;
    const { canCancel, title, step } = this.#tasks.get(id) as Task;
    if (!gate.canPause) throw cannotPause(title, step, canCancel);
    gate.set(true);
    this.#noting(id, () => this.#journal.paused(id, true));
  }

  resume(id: TaskId): void {
    const { gate } = this.#runningOf(id);
    this.#noting(id, () => this.#journal.paused(id, false));
    gate.set(false);
  }

  #runningOf(id: TaskId): Running {
    const running = this.#running.get(id);
    if (running === undefined) throw noTask(id);
    return running;
  }

  async #run(noted: JournaledTask, canCancel: boolean, isAgain: boolean, work: Work): Promise<void> {
    const { id, kind, vmId, title, startedAt, stood, isPaused, order } = noted;
    const abort = new AbortController();
    const { signal } = abort;
    const changed = (): void =>
      this.#change(id, { canPause: gate.canPause && !signal.aborted, isPaused: gate.isPaused });
    const gate: TaskGate = new TaskGate({ isPaused, signal, changed });
    this.#running.set(id, { order, abort, gate });
    const none = {
      step: '',
      bytesDone: null,
      bytesTotal: null,
      progress: null,
      endedAt: null,
      error: null,
      fileName: null,
    };
    const asTold = { id, kind, vmId, title, canCancel, isPaused, startedAt };
    this.#put({ ...asTold, ...none, state: 'running', canPause: false });
    let place = stood;
    const mark = (now: unknown): void => {
      place = now;
      this.#noting(id, () => this.#journal.stood(id, place));
    };
    const run: TaskRun = { step: this.#stepOf(id), signal, gate, isAgain, stood, mark };
    try {
      // A task that was paused when control died waits here, and is begun again only once it is resumed.
      if (isPaused) await gate.pausable(() => Promise.resolve());
      if (order !== undefined) this.#noting(id, () => this.#journal.begun(id));
      await work(run);
      const fileName = this.#fileOf(order);
      if (fileName !== null) this.#made.set(id, { order, stood: place });
      this.#end(id, { state: 'done', progress: 1, fileName });
    } catch (cause) {
      this.#failed(id, cause, signal.aborted);
    }
  }

  #stepOf(id: TaskId): Step {
    return (words, bytes) => {
      const step = words.slice(0, 200);
      if (bytes === undefined)
        return this.#change(id, { step, bytesDone: null, bytesTotal: null, progress: null });
      const bytesTotal = Math.round(bytes.total);
      const bytesDone = Math.min(bytesTotal, Math.max(0, Math.round(bytes.done)));
      const progress = bytesTotal === 0 ? 1 : bytesDone / bytesTotal;
      this.#change(id, { step, bytesDone, bytesTotal, progress });
    };
  }

  /** The journal matters only where control dies: a task goes on where the journal cannot be written. */
  #noting<T>(id: TaskId | 'all', write: () => T): T | null {
    try {
      return write();
    } catch (cause) {
      this.#log(`task ${id}: could not be noted: ${String(cause)}`, 'warn');
      return null;
    }
  }

  #failed(id: TaskId, cause: unknown, isCancelled: boolean): void {
    if (cause instanceof Fault)
      return this.#end(id, { state: isCancelled ? 'cancelled' : 'failed', error: cause.body });
    if (isCancelled) return this.#end(id, { state: 'cancelled' });
    this.#log(`task ${id}: ${stackOf(cause)}`, 'error');
    this.#end(id, { state: 'failed', error: mistake(id) });
  }

  #end(id: TaskId, change: Partial<Task>): void {
    this.#running.delete(id);
    if (!this.#isLeaving) this.#noting(id, () => this.#journal.drop(id));
    const ending = { canPause: false, isPaused: false, endedAt: this.#clock.wallMs() };
    this.#change(id, { ...change, ...ending });
    const task = this.#tasks.get(id);
    if (task !== undefined && !this.#isLeaving) this.#ended(task);
    const ended = [...this.#tasks.values()].filter(task => task.state !== 'running');
    for (const task of ended.slice(0, Math.max(0, ended.length - ENDED_KEPT))) {
      this.#tasks.delete(task.id);
      this.#made.delete(task.id);
    }
  }

  #change(id: TaskId, change: Partial<Task>): void {
    const task = this.#tasks.get(id);
    if (task !== undefined) this.#put({ ...task, ...change });
  }

  #put(task: Task): void {
    this.#tasks.set(task.id, task);
    this.#changed();
  }
}

const refusing =
  (fault: Fault | undefined): Work =>
  () =>
    Promise.reject(fault);
