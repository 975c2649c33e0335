// Stores the long work that is under way: what was asked, and how far it came, so that the next control
// begins it again where this one dies in the middle. A row goes when its task ends.
import type Database from 'better-sqlite3';
import * as z from 'zod';
import { type TaskId, taskIdSchema, vmIdSchema } from '../../../shared/ids.ts';
import { taskKindSchema } from '../../../shared/task.ts';
import { timeMsSchema } from '../../../shared/units.ts';

const ROWS_MAX = 100;

const notedSchema = z.object({
  kind: taskKindSchema,
  vmId: vmIdSchema.nullable(),
  title: z.string(),
  startedAt: timeMsSchema,
  /** What the work needs to be begun again (task-orders.ts). */
  order: z.unknown(),
});
export type NotedTask = z.infer<typeof notedSchema>;

export interface JournaledTask extends NotedTask {
  readonly id: TaskId;
  /** How often the work was begun since control last ended in peace. */
  readonly attempts: number;
  readonly isPaused: boolean;
  readonly stood: unknown;
}

export interface TaskJournal {
  /** Oldest first. A row that cannot be read is dropped. */
  all(): JournaledTask[];
  /** False: there are too many rows. */
  add(id: TaskId, task: NotedTask): boolean;
  begun(id: TaskId): void;
  paused(id: TaskId, isPaused: boolean): void;
  stood(id: TaskId, stood: unknown): void;
  drop(id: TaskId): void;
  /** Control ends in peace, and not because of a task: sets `attempts` of all to 0. */
  forgive(): void;
}

interface Row {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
  readonly paused: number;
  readonly stood: string;
}

export function openTaskJournal(db: Database.Database): TaskJournal {
  db.exec(`CREATE TABLE IF NOT EXISTS task (id TEXT PRIMARY KEY, body TEXT NOT NULL, attempts INTEGER NOT NULL,
                                            paused INTEGER NOT NULL, stood TEXT NOT NULL)`);
  const all = db.prepare<[], Row>('SELECT * FROM task ORDER BY rowid');
  const count = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM task');
  const add = db.prepare("INSERT INTO task VALUES (?, ?, 0, 0, 'null')");
  const begun = db.prepare('UPDATE task SET attempts = attempts + 1 WHERE id = ?');
  const paused = db.prepare('UPDATE task SET paused = ? WHERE id = ?');
  const stood = db.prepare('UPDATE task SET stood = ? WHERE id = ?');
  const drop = db.prepare('DELETE FROM task WHERE id = ?');
  const forgive = db.prepare('UPDATE task SET attempts = 0');
  return {
    all: () =>
      all.all().flatMap(row => {
        const task = parsed(row);
        if (task === null) drop.run(row.id);
        return task ?? [];
      }),
    add: (id, task) => {
      if ((count.get()?.n ?? 0) >= ROWS_MAX) return false;
      add.run(id, JSON.stringify(task));
      return true;
    },
    begun: id => void begun.run(id),
    paused: (id, isPaused) => void paused.run(Number(isPaused), id),
    stood: (id, place) => void stood.run(JSON.stringify(place), id),
    drop: id => void drop.run(id),
    forgive: () => void forgive.run(),
  };
}

function parsed({ id, body, attempts, paused, stood }: Row): JournaledTask | null {
  try {
    const task = notedSchema.parse(JSON.parse(body));
    return {
      ...task,
      id: taskIdSchema.parse(id),
      attempts,
      isPaused: paused !== 0,
      stood: JSON.parse(stood),
    };
  } catch {
    return null;
  }
}
