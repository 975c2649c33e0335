// cgroup v2 as far as Ebb uses it, with the kernel's refusals: a group that is divided holds no processes, a file that is
// not there is not written, a group with anything in it is not removed (Documentation/admin-guide/cgroup-v2.rst).
import type { GroupFiles } from '../../electron/platform/vm-groups.ts';

interface Group {
  readonly procs: Set<number>;
  subtree: string;
  high: string;
  cpu: string;
}

const refuse = (code: string, path: string): never => {
  throw Object.assign(new Error(`${code}: ${path}`), { code });
};

export class FakeCgroups implements GroupFiles {
  static readonly ROOT = '/cg';
  readonly groups = new Map<string, Group>();
  /** What was written, in order. */
  readonly written: string[] = [];
  /** No file may be written. */
  isReadOnly = false;
  /** A controller that is not handed on, though it is there: `cpu` beside realtime processes. */
  refused = '';

  /** A group that is there, with these processes. */
  constructor(group: string, procs: readonly number[], controllers = 'cpu memory pids') {
    this.controllers = controllers;
    this.groups.set('', { procs: new Set(), subtree: controllers, high: 'max', cpu: 'max 100000' });
    this.groups.set(group, { procs: new Set(procs), subtree: '', high: 'max', cpu: 'max 100000' });
  }
  controllers: string;

  cpu = (group: string): string | undefined => this.groups.get(group)?.cpu;
  high = (group: string): string | undefined => this.groups.get(group)?.high;
  groupOf = (pid: number): string | undefined =>
    [...this.groups].find(([, { procs }]) => procs.has(pid))?.[0];

  #split(path: string): { group: string; file: string } | null {
    if (!path.startsWith(FakeCgroups.ROOT)) return null;
    const at = path.lastIndexOf('/');
    return { group: path.slice(FakeCgroups.ROOT.length, at), file: path.slice(at + 1) };
  }
  #controllersOf(group: string): string {
    const parent = this.groups.get(group.slice(0, Math.max(0, group.lastIndexOf('/'))));
    return parent?.subtree ?? this.controllers;
  }

  read(path: string): string | null {
    const pid = /^\/proc\/(\d+)\/cgroup$/.exec(path)?.[1];
    if (pid !== undefined) {
      const group = this.groupOf(Number(pid));
      return group === undefined ? null : `0::${group === '' ? '/' : group}\n`;
    }
    const at = this.#split(path);
    const group = at === null ? undefined : this.groups.get(at.group);
    if (at === null || group === undefined) return null;
    if (at.file === 'cgroup.controllers') return `${this.#controllersOf(at.group)}\n`;
    if (at.file === 'cgroup.subtree_control') return `${group.subtree}\n`;
    if (at.file === 'cpu.max') return this.#controllersOf(at.group).includes('cpu') ? `${group.cpu}\n` : null;
    return at.file === 'cgroup.procs' ? [...group.procs].map(one => `${one}\n`).join('') : null;
  }

  write(path: string, text: string): void {
    const at = this.#split(path);
    const group = at === null ? undefined : this.groups.get(at.group);
    if (at === null || group === undefined) return refuse('ENOENT', path);
    if (this.isReadOnly) refuse('EACCES', path);
    if (at.file === 'cgroup.procs') {
      if (group.subtree !== '' && at.group !== '') refuse('EBUSY', path);
      for (const other of this.groups.values()) other.procs.delete(Number(text));
      group.procs.add(Number(text));
    } else if (at.file === 'cgroup.subtree_control') {
      if (group.procs.size > 0 || text === `+${this.refused}`) refuse('EBUSY', path);
      group.subtree = `${group.subtree} ${text.slice(1)}`.trim();
    } else if (at.file === 'memory.high' && this.#controllersOf(at.group).includes('memory'))
      group.high = text;
    else if (at.file === 'cpu.max' && this.#controllersOf(at.group).includes('cpu')) group.cpu = text;
    else refuse('ENOENT', path);
    this.written.push(`${at.group.slice(at.group.lastIndexOf('/') + 1)} ${at.file} ${text}`);
  }

  makeFolder(path: string): void {
    const group = path.slice(FakeCgroups.ROOT.length);
    if (this.isReadOnly) refuse('EACCES', path);
    if (this.groups.has(group)) refuse('EEXIST', path);
    this.groups.set(group, { procs: new Set(), subtree: '', high: 'max', cpu: 'max 100000' });
  }

  removeFolder(path: string): void {
    const group = path.slice(FakeCgroups.ROOT.length);
    if ((this.groups.get(group)?.procs.size ?? 0) > 0) refuse('EBUSY', path);
    this.groups.delete(group);
  }
}
