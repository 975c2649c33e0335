// Cgroups of our own, one for each QEMU, that bound its memory and its share of the processors: Linux with cgroup v2, where
// the group Ebb was started in may be divided (delegated, and nobody else's). Layout: GROUP/ebb-service holds Ebb,
// GROUP/ebb-vm-ID one QEMU each.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { messageOf } from '../../shared/result.ts';
import { kibToBytes } from '../../shared/units.ts';

export interface VmGroup {
  /** Above this the kernel slows the group down and reclaims from it; null: no limit. */
  setHighKib(highKib: number | null): void;
  /** Per cent of all processors; null: no limit. Throws where this group can have no limit. */
  setCpuPercent(percent: number | null): void;
  /** To be called when all processes of the group have ended. */
  remove(): void;
}

export interface VmGroups {
  /** Puts a process into its group, or finds it there. Null: no groups. Throws file system errors. */
  enter(name: string, pid: number): VmGroup | null;
  /** What the kernel bounds, or why it does not, as a sentence. */
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
/** The period of `cpu.max` in microseconds: the kernel's default. */
const PERIOD_US = 100_000;
/** The smallest quota the kernel accepts. */
const QUOTA_US_MIN = 1_000;
const CONTROLLERS = ['memory', 'cpu'] as const;
type Controller = (typeof CONTROLLERS)[number];
const LIMITED = { memory: 'memory', cpu: 'processors' } as const;

export interface GroupsInput {
  readonly files: GroupFiles;
  /** Where the cgroup file system is mounted. */
  readonly root: string;
  /** Ebb's own processes, which are moved into ebb-service: a divided group may hold none itself. */
  readonly own: readonly number[];
  /** How many processors the host has. */
  readonly processors: number;
}

const words = (text: string | null): string[] => (text ?? '').split(/\s+/).filter(word => word !== '');

/** A process's group, below the root; null: it is in no group of version 2, or in one we cannot see. */
function groupOf(files: GroupFiles, pid: number): string | null {
  const path = /^0::(\/.*)$/m.exec(files.read(`/proc/${pid}/cgroup`) ?? '')?.[1];
  return path === undefined || path.includes('/..') ? null : path;
}

interface Divided {
  readonly base: string;
  readonly has: readonly Controller[];
  /** Controllers the group has but may not hand on, each with the system's words. */
  readonly refused: ReadonlyMap<Controller, string>;
}
/** Why the group cannot be divided, and whether starting Ebb in another way helps. */
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
  const had = wanted.filter(one => divided.includes(one));
  if (had.length === wanted.length) return { base, has: had, refused: new Map() };
  const inside = words(files.read(`${base}/cgroup.procs`)).map(Number);
  if (inside.some(one => !own.includes(one)))
    return { why: "Other programs are in Ebb's own cgroup", isCurable: true };
  const missing = wanted.filter(one => !had.includes(one));
  const refused = handOn(files, base, inside, missing);
  const has = wanted.filter(one => !refused.has(one));
  if (has.length > 0) return { base, has, refused };
  undo(files, base, inside);
  const [why] = refused.values();
  return { why: `Ebb may not divide its own cgroup (${why})`, isCurable: true };
}

/**
 * Hands the controllers on to the groups below, one at a time: the kernel may refuse one (`cpu`, where
 * realtime processes run) and grant the other. Returns which were refused, and why.
 */
function handOn(
  files: GroupFiles,
  base: string,
  inside: readonly number[],
  wanted: readonly Controller[],
): Map<Controller, string> {
  try {
    makeIfMissing(files, `${base}/${SERVICE}`);
    for (const one of inside) files.write(`${base}/${SERVICE}/cgroup.procs`, String(one));
  } catch (cause) {
    return new Map(wanted.map(one => [one, messageOf(cause)]));
  }
  const refused = new Map<Controller, string>();
  for (const one of wanted)
    try {
      files.write(`${base}/cgroup.subtree_control`, `+${one}`);
    } catch (cause) {
      refused.set(one, messageOf(cause));
    }
  return refused;
}

const cannotLimit = (one: Controller, words?: string): string =>
  `Ebb's own cgroup may not limit ${LIMITED[one]}${words === undefined ? '' : ` (${words})`}`;

/** Why the controller cannot be used; null: it can. */
function whyNot(divided: Divided | Undivided, one: Controller): Undivided | null {
  if ('why' in divided) return divided;
  if (divided.has.includes(one)) return null;
  return { why: cannotLimit(one, divided.refused.get(one)), isCurable: true };
}

function memoryFound(divided: Divided | Undivided): string {
  const not = whyNot(divided, 'memory');
  if (not === null) return 'The kernel keeps each VM to what it was promised (memory.high).';
  return `${not.why}, ${KEPT_BY}${not.isCurable ? ` ${REMEDY}` : ''}`;
}

function cpuHold(divided: Divided | Undivided): CpuHold {
  const not = whyNot(divided, 'cpu');
  if (not === null) return { isHeld: true };
  return { isHeld: false, why: `${not.why}.`, todo: not.isCurable ? COMMAND : '' };
}

function makeIfMissing(files: GroupFiles, path: string): void {
  if (files.read(`${path}/cgroup.procs`) === null) files.makeFolder(path);
}

function undo(files: GroupFiles, base: string, inside: readonly number[]): void {
  try {
    for (const one of inside) files.write(`${base}/cgroup.procs`, String(one));
    files.removeFolder(`${base}/${SERVICE}`);
  } catch {
    // What could not be done before need not be undone.
  }
}

const groupAt = (files: GroupFiles, path: string, processors: number): VmGroup => ({
  setHighKib: highKib =>
    files.write(`${path}/memory.high`, highKib === null ? 'max' : String(kibToBytes(highKib))),
  setCpuPercent: percent => {
    // Without the cpu controller there is no limit to lift.
    if (percent === null && files.read(`${path}/cpu.max`) === null) return;
    const quotaUs = percent === null ? 'max' : cpuQuotaUs(percent, processors);
    files.write(`${path}/cpu.max`, `${quotaUs} ${PERIOD_US}`);
  },
  remove: () => {
    try {
      files.removeFolder(path);
    } catch {
      // The group's last process may not be reaped yet: the next start of this VM uses the group again.
    }
  },
});

/** Microseconds of each period, counted over all processors. */
export const cpuQuotaUs = (percent: number, processors: number): number =>
  Math.max(QUOTA_US_MIN, Math.round((percent / 100) * processors * PERIOD_US));

export function vmGroups(input: GroupsInput): VmGroups {
  const { files, root, processors } = input;
  const divided = divide(input);
  return {
    found: memoryFound(divided),
    cpu: cpuHold(divided),
    enter: (name, pid) => {
      const group = groupOf(files, pid);
      // An earlier control put the process there; that may have been started in another group.
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
export const systemVmGroups = (pid: number): VmGroups =>
  vmGroups({
    files: systemFiles,
    root: '/sys/fs/cgroup',
    own: [pid, process.ppid],
    processors: availableParallelism(),
  });
