// Long work as people see it (DESIGN §7): id, step, progress, cancel, and how it ended. Bounded memory of ended ones.
import { type TaskId, taskIdSchema, type VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { Task, TaskKind } from '../../shared/task.ts';
import type { Clock, Random } from '../platform/ports.ts';

const ENDED_KEPT = 50;
/** They leave the VM as it is; an update gets a point of its own. */
const READING: ReadonlySet<TaskKind> = new Set([
  'moment.export',
  'moment.import-delta',
  'vm.verify',
  'vm.compact',
]);

export type Step = (words: string, progress?: number) => void;

export interface NewTask {
  readonly kind: TaskKind;
  readonly vmId: VmId | null;
  readonly title: string;
  readonly canCancel: boolean;
  readonly work: (step: Step, signal: AbortSignal) => Promise<void>;
}

export class Tasks {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #changed: () => void;
  readonly #log: (line: string) => void;
  readonly #tasks = new Map<TaskId, Task>();
  readonly #aborts = new Map<TaskId, AbortController>();
  readonly #held = new Set<VmId>();

  constructor(options: { clock: Clock; random: Random; changed: () => void; log: (line: string) => void }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#changed = options.changed;
    this.#log = options.log;
  }

  list(): Task[] {
    return [...this.#tasks.values()].reverse();
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

  /** For work its caller waits for: the VM is busy as long as it takes. */
  async whileHeld<T>(vmId: VmId, work: () => Promise<T>): Promise<T> {
    this.#held.add(vmId);
    try {
      return await work();
    } finally {
      this.#held.delete(vmId);
    }
  }

  /** Answers at once; the work goes on. */
  start({ kind, vmId, title, canCancel, work }: NewTask): TaskId {
    const id = taskIdSchema.parse(this.#random.uuid());
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    this.#put({
      id,
      kind,
      vmId,
      title,
      state: 'running',
      step: '',
      progress: null,
      canCancel,
      startedAt: this.#clock.wallMs(),
      endedAt: null,
      error: null,
    });
    const step: Step = (words, progress) =>
      this.#change(id, {
        step: words.slice(0, 200),
        progress: progress === undefined ? null : Math.min(1, Math.max(0, progress)),
      });
    work(step, abort.signal).then(
      () => this.#end(id, { state: 'done', progress: 1 }),
      (cause: unknown) => this.#failed(id, cause, abort.signal.aborted),
    );
    return id;
  }

  cancel(id: TaskId): void {
    const abort = this.#aborts.get(id);
    if (abort === undefined)
      throw new Fault({
        code: 'task.not-found',
        what: `Task ${id} is not running.`,
        safe: 'Nothing was changed.',
        todo: 'Look at the tasks again.',
      });
    abort.abort();
  }

  #failed(id: TaskId, cause: unknown, isCancelled: boolean): void {
    if (cause instanceof Fault)
      return this.#end(id, { state: isCancelled ? 'cancelled' : 'failed', error: cause.body });
    if (isCancelled) return this.#end(id, { state: 'cancelled' });
    this.#log(`task ${id}: ${cause instanceof Error ? cause.stack : String(cause)}`);
    const error = {
      code: 'internal' as const,
      what: `Ebb made a mistake (task ${id.slice(0, 8)}).`,
      safe: 'Disks and other VMs are not affected.',
      todo: 'Try again; the log has the details.',
      incident: id,
    };
    this.#end(id, { state: 'failed', error });
  }

  #end(id: TaskId, change: Partial<Task>): void {
    this.#aborts.delete(id);
    this.#change(id, { ...change, endedAt: this.#clock.wallMs() });
    const ended = [...this.#tasks.values()].filter(task => task.state !== 'running');
    for (const task of ended.slice(0, Math.max(0, ended.length - ENDED_KEPT))) this.#tasks.delete(task.id);
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
