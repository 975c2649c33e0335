// Cgroups of our own, one for each QEMU, that bound its memory and its share of the processors: Linux with cgroup v2, where the group Ebb was started in may be divided
// (delegated, and nobody else's). Layout: GROUP/ebb-service holds Ebb, GROUP/ebb-vm-ID one QEMU each.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export interface MemoryGroup {
  /** The kernel slows down and reclaims from who holds more; null: no limit. */
  setHighKib(highKib: number | null): void;
  /** Of all the processors there are; null: no limit. Throws where `cpu` says that it cannot be held. */
  setCpuPercent(percent: number | null): void;
  /** When all in it have ended. */
  remove(): void;
}

export interface MemoryGroups {
  /** Puts a process into its group, or finds it there. Null where groups cannot be had. Throws as the file system does. */
  enter(name: string, pid: number): MemoryGroup | null;
  /** What there is, or why there is none, as a sentence. */
  readonly found: string;
  /** Whether a share of the processors can be held, or why not. */
  readonly cpu: CpuHold;
}

export type CpuHold =
  | { readonly isHeld: true }
  | { readonly isHeld: false; readonly why: string; readonly todo: string };

/** The cgroup file system and /proc, as far as needed here. */
export interface GroupFiles {
  /** Null where there is no such file. */
  read(path: string): string | null;
  write(path: string, text: string): void;
  makeFolder(path: string): void;
  removeFolder(path: string): void;
}

const SERVICE = 'ebb-service';
const groupName = (name: string): string => `ebb-vm-${name}`;
const COMMAND = 'systemd-run --user --scope -p Delegate=yes ebb';
const REMEDY = `Started with "${COMMAND}", Ebb can.`;
const KEPT_BY = 'so the kernel does not keep VMs to what they were promised.';
/** Of `cpu.max`, in microseconds, as the kernel has it by itself. */
const PERIOD_US = 100_000;
/** The kernel takes no less. */
const QUOTA_US_MIN = 1_000;
const CONTROLLERS = ['memory', 'cpu'] as const;
type Controller = (typeof CONTROLLERS)[number];

export interface GroupsInput {
  readonly files: GroupFiles;
  /** Where the cgroup file system is mounted. */
  readonly root: string;
  /** Ebb's own processes, which are moved aside: a group that is divided holds none itself. */
  readonly own: readonly number[];
  /** Processors there are. */
  readonly processors: number;
}

const words = (text: string | null): string[] => (text ?? '').split(/\s+/).filter(word => word !== '');

/** Of a process, below the root; null where it is in no group of version 2, or in one we do not see. */
function groupOf(files: GroupFiles, pid: number): string | null {
  const path = /^0::(\/.*)$/m.exec(files.read(`/proc/${pid}/cgroup`) ?? '')?.[1];
  return path === undefined || path.includes('/..') ? null : path;
}

interface Divided {
  readonly base: string;
  readonly has: readonly Controller[];
}
/** Why it cannot be; and whether that can be helped. */
interface Undivided {
  readonly why: string;
  readonly isCurable: boolean;
}

function divide({ files, root, own }: GroupsInput): Divided | Undivided {
  const [pid = 0] = own;
  if (files.read(`${root}/cgroup.controllers`) === null)
    return { why: 'This system has no cgroups of version 2', isCurable: false };
  const group = groupOf(files, pid);
  if (group === null) return { why: "Ebb's own cgroup cannot be seen", isCurable: false };
  const base = `${root}${group}`.replace(/\/$/, '').replace(new RegExp(`/${SERVICE}$`), '');
  const given = words(files.read(`${base}/cgroup.controllers`));
  const wanted = CONTROLLERS.filter(one => given.includes(one));
  if (wanted.length === 0) return { why: cannotLimit('memory'), isCurable: true };
  const divided = words(files.read(`${base}/cgroup.subtree_control`));
  const has = wanted.filter(one => divided.includes(one));
  if (has.length === wanted.length) return { base, has };
  const inside = words(files.read(`${base}/cgroup.procs`)).map(Number);
  if (inside.some(one => !own.includes(one)))
    return { why: "Other programs are in Ebb's own cgroup", isCurable: true };
  try {
    makeIfMissing(files, `${base}/${SERVICE}`);
    for (const one of inside) files.write(`${base}/${SERVICE}/cgroup.procs`, String(one));
    for (const one of wanted)
      if (!has.includes(one)) files.write(`${base}/cgroup.subtree_control`, `+${one}`);
    return { base, has: wanted };
  } catch (cause) {
    if (has.length > 0) return { base, has };
    undo(files, base, inside);
    const words = cause instanceof Error ? cause.message : String(cause);
    return { why: `Ebb may not divide its own cgroup (${words})`, isCurable: true };
  }
}

const cannotLimit = (what: string): string => `Ebb's own cgroup may not limit ${what}`;

function memoryFound(divided: Divided | Undivided): string {
  if ('why' in divided) return `${divided.why}, ${KEPT_BY}${divided.isCurable ? ` ${REMEDY}` : ''}`;
  if (!divided.has.includes('memory')) return `${cannotLimit('memory')}, ${KEPT_BY} ${REMEDY}`;
  return 'The kernel keeps each VM to what it was promised (memory.high).';
}

function cpuHold(divided: Divided | Undivided): CpuHold {
  if (!('why' in divided) && divided.has.includes('cpu')) return { isHeld: true };
  const [why, isCurable] =
    'why' in divided ? [divided.why, divided.isCurable] : [cannotLimit('processors'), true];
  return { isHeld: false, why: `${why}.`, todo: isCurable ? COMMAND : '' };
}

function makeIfMissing(files: GroupFiles, path: string): void {
  if (files.read(`${path}/cgroup.procs`) === null) files.makeFolder(path);
}

function undo(files: GroupFiles, base: string, inside: readonly number[]): void {
  try {
    for (const one of inside) files.write(`${base}/cgroup.procs`, String(one));
    files.removeFolder(`${base}/${SERVICE}`);
  } catch {
    // Where nothing could be done nothing is to be undone.
  }
}

const groupAt = (files: GroupFiles, path: string, processors: number): MemoryGroup => ({
  setHighKib: highKib =>
    files.write(`${path}/memory.high`, highKib === null ? 'max' : String(highKib * 1024)),
  setCpuPercent: percent => {
    const quotaUs = percent === null ? 'max' : cpuQuotaUs(percent, processors);
    files.write(`${path}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
  },
  remove: () => {
    try {
      files.removeFolder(path);
    } catch {
      // Its last process may not be reaped yet: the next start of this VM uses it again.
    }
  },
});

/** Of each period, all processors together. */
export const cpuQuotaUs = (percent: number, processors: number): number =>
  Math.max(QUOTA_US_MIN, Math.round((percent / 100) * processors * PERIOD_US));

export function memoryGroups(input: GroupsInput): MemoryGroups {
  const { files, root, processors } = input;
  const divided = divide(input);
  return {
    found: memoryFound(divided),
    cpu: cpuHold(divided),
    enter: (name, pid) => {
      const group = groupOf(files, pid);
      // Of an earlier control, which may have been started elsewhere.
      if (group?.endsWith(`/${groupName(name)}`) === true)
        return groupAt(files, `${root}${group}`, processors);
      if ('why' in divided) return null;
      const path = `${divided.base}/${groupName(name)}`;
      makeIfMissing(files, path);
      files.write(`${path}/cgroup.procs`, String(pid));
      return groupAt(files, path, processors);
    },
  };
}

export const systemFiles: GroupFiles = {
  read: path => {
    try {
      return readFileSync(path, 'latin1');
    } catch {
      return null;
    }
  },
  write: (path, text) => writeFileSync(path, text),
  makeFolder: path => mkdirSync(path),
  removeFolder: path => rmdirSync(path),
};

/** The process that started us is Ebb's own too: the CLI, or a shell that runs the window. */
export const systemMemoryGroups = (pid: number): MemoryGroups =>
  memoryGroups({
    files: systemFiles,
    root: '/sys/fs/cgroup',
    own: [pid, process.ppid],
    processors: availableParallelism(),
  });
