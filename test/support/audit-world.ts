// The audit's real code over files in memory whose machine can lose its power at any byte of any write.
import Database from 'better-sqlite3';
import { Audit, type Draft } from '../../electron/control/audit/audit.ts';
import { AuditLog, type AuditLogOptions, type NewEntry } from '../../electron/control/audit/audit-log.ts';
import { sha256 } from '../../electron/control/audit/handlers.ts';
import { type HeadStore, openHeadStore, type StoredHead } from '../../electron/control/audit/head-store.ts';
import type { AppendFolder } from '../../electron/platform/append-folder.ts';
import type { AuditEntry } from '../../shared/audit.ts';
import { Fault } from '../../shared/result.ts';
import { TestClock } from './memory-world.ts';

export class PowerCut extends Error {}

/** Steps are bytes appended, files removed and heads stored; when they are used up the power goes. */
export class Power {
  left = Number.POSITIVE_INFINITY;
  used = 0;
  /** Takes what it can get of so many steps. */
  take(wanted: number): number {
    const given = Math.min(wanted, this.left);
    this.left -= given;
    this.used += given;
    return given;
  }
  step(): void {
    if (this.take(1) === 0) throw new PowerCut();
  }
}

export class MemoryFolder implements AppendFolder {
  readonly files = new Map<string, string>();
  readonly #power: Power;
  isFull = false;
  constructor(power = new Power()) {
    this.#power = power;
  }
  list(): string[] {
    return [...this.files.keys()];
  }
  read(name: string): string {
    return this.files.get(name) ?? '';
  }
  append(name: string, text: string): void {
    if (this.isFull)
      throw new Fault({ code: 'disk.full', what: 'The disk is full.', safe: '', todo: 'Free some space.' });
    const given = this.#power.take(text.length);
    this.files.set(name, this.read(name) + text.slice(0, given));
    if (given < text.length) throw new PowerCut();
    // Written, and not yet durable.
    this.#power.step();
  }
  remove(name: string): void {
    this.#power.step();
    this.files.delete(name);
  }
  text(): string {
    return [...this.files.keys()]
      .sort()
      .map(name => this.read(name))
      .join('');
  }
}

const poweredHeads = (store: HeadStore, power: Power): HeadStore => ({
  ...store,
  put: head => {
    power.step();
    store.put(head);
  },
});

/** For thousands of worlds: a database takes its time to be made. */
export function plainHeads(): HeadStore {
  let head: StoredHead | null = null;
  return {
    get: () => head,
    put: next => {
      head = next;
    },
    open: () => [],
    addOpen: () => undefined,
    dropOpen: () => undefined,
  };
}

export class AuditWorld {
  readonly power = new Power();
  readonly folder = new MemoryFolder(this.power);
  readonly clock = new TestClock();
  readonly heads: HeadStore;
  readonly warnings: string[] = [];
  readonly told: AuditEntry[] = [];

  constructor(heads = openHeadStore(new Database(':memory:'))) {
    this.heads = poweredHeads(heads, this.power);
  }

  /** As a control finds it that has just begun. */
  log(options: Partial<AuditLogOptions> = {}): AuditLog {
    return new AuditLog({ folder: this.folder, heads: this.heads, sha256, ...options });
  }
  audit(log = this.log()): Audit {
    return new Audit({
      log,
      heads: this.heads,
      clock: this.clock,
      user: 'ann',
      told: entry => this.told.push(entry),
      warn: text => this.warnings.push(text),
    });
  }
}

export const draft = (action = 'vm.rename', more: Partial<Draft> = {}): Draft => ({
  via: 'local',
  action,
  vmId: null,
  vmName: 'dev',
  from: {},
  to: {},
  ...more,
});

export const entry = (action: string): NewEntry => ({
  ...draft(action, { from: { minKib: 1024 }, to: { name: 'Größe "2"\n' } }),
  at: 1_700_000_000_000,
  user: 'ann',
  outcome: 'done',
  of: null,
  task: null,
  code: null,
  times: 1,
});
