// Follows a task to its end: shows its progress, and at an interrupt asks it to stop.
import { Fault } from '../../../shared/result.ts';
import type { Client } from '../../../shared/rpc/client.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Task } from '../../../shared/task.ts';
import { onInterrupt } from '../../platform/standard-streams.ts';
import { barLine, stepLine } from './progress.ts';

/** Thrown with --no-wait: the task was begun, and the command asks for no more. */
export class Begun extends Error {
  readonly known: Readonly<Record<string, string>>;
  constructor(known: Readonly<Record<string, string>>) {
    super('The task was begun.');
    this.known = known;
  }
}

/** What an interrupt does. `cancel`: asks the task to stop; a second leaves it. `leave`: leaves at once. */
export type AtInterrupt = 'cancel' | 'leave';

/** Hears of every change of a task until it ends. */
export interface Watcher {
  change(task: Task): void;
  say(text: string): void;
  end(): void;
}

function terminalWatcher(): Watcher {
  const clear = (): void => void process.stderr.write('\r\x1b[K');
  return {
    change: task => {
      clear();
      process.stderr.write(barLine(task, process.stderr.columns ?? 80));
    },
    say: text => {
      clear();
      process.stderr.write(`${text}\n`);
    },
    end: clear,
  };
}

function lineWatcher(): Watcher {
  let before: Task | null = null;
  return {
    change: task => {
      const line = stepLine(task, before);
      if (line !== null) process.stderr.write(`${line}\n`);
      before = task;
    },
    say: text => void process.stderr.write(`${text}\n`),
    end: () => undefined,
  };
}

function jsonWatcher(): Watcher {
  return {
    change: task => void process.stdout.write(`${JSON.stringify({ progress: task })}\n`),
    say: () => undefined,
    end: () => undefined,
  };
}

const silentWatcher: Watcher = {
  change: () => undefined,
  say: text => void process.stderr.write(`${text}\n`),
  end: () => undefined,
};

/** The watcher for the given options and for what standard error can show. */
export function watcherFor(given: Readonly<Record<string, unknown>>): Watcher {
  if (given.ndjson === true) return jsonWatcher();
  if (given.json === true) return { ...silentWatcher, say: () => undefined };
  if (given.quiet === true) return silentWatcher;
  return process.stderr.isTTY ? terminalWatcher() : lineWatcher();
}

const cancelled = ({ title, error }: Task): Fault =>
  new Fault({
    code: 'cancelled',
    what: `${title}: cancelled before it was done.`,
    safe: error?.safe ?? 'What it had begun was given up; everything else is as it was.',
    todo: 'Run the command again to have it done.',
  });

const left = ({ id, title }: Task): Fault =>
  new Fault({
    code: 'cancelled',
    what: `${title}: no longer waited for.`,
    safe: 'The task goes on.',
    todo: `See how it goes: ebb task follow ${id.slice(0, 8)}`,
  });

const forgotten = (): Fault =>
  new Fault({
    code: 'task.not-found',
    what: 'The task is not known any more.',
    safe: 'It ended.',
    todo: 'Look at the VM.',
  });

interface Following {
  readonly client: Client<Contract>;
  readonly taskId: string;
  readonly watcher: Watcher;
  readonly atInterrupt: AtInterrupt;
}

function ended(task: Task): Task {
  if (task.state === 'cancelled') throw cancelled(task);
  if (task.error !== null) throw new Fault(task.error);
  return task;
}

export interface Followed {
  readonly task: Task;
  /** The task was asked to stop, and was done before it could. */
  readonly isInterrupted: boolean;
}

/** Resolves with the task that is done; throws its fault, or `cancelled`. */
export async function follow({ client, taskId, watcher, atInterrupt }: Following): Promise<Followed> {
  let last: Task | null = null;
  let asked = 0;
  let forget = (): void => undefined;
  const end = new Promise<Task>((resolve, reject) => {
    const unsubscribe = client.subscribe(
      'tasks',
      null,
      ({ tasks }) => {
        const task = tasks.find(({ id }) => id === taskId);
        if (task === undefined) return reject(forgotten());
        if (JSON.stringify(task) !== JSON.stringify(last)) watcher.change(task);
        last = task;
        if (task.state !== 'running') resolve(task);
      },
      error => reject(new Fault(error)),
    );
    const unhear = onInterrupt(() => {
      if (last === null || atInterrupt === 'leave' || asked++ > 0 || !last.canCancel)
        return last === null ? reject(forgotten()) : reject(left(last));
      watcher.say('Asking the task to stop; once more leaves it running.');
      client.call('task.cancel', { taskId }).catch(() => undefined);
    });
    forget = () => {
      unhear();
      unsubscribe();
    };
  });
  try {
    return { task: ended(await end), isInterrupted: asked > 0 };
  } finally {
    forget();
    watcher.end();
  }
}
