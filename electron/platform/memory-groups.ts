// Memory cgroups of our own, one for each QEMU: Linux with cgroup v2, where the group Ebb was started in may be divided
// (delegated, and nobody else's). Layout: GROUP/ebb-service holds Ebb, GROUP/ebb-vm-ID one QEMU each.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

export interface MemoryGroup {
  /** The kernel slows down and reclaims from who holds more; null: no limit. */
  setHighKib(highKib: number | null): void;
  /** When all in it have ended. */
  remove(): void;
}

export interface MemoryGroups {
  /** Puts a process into its group, or finds it there. Null where groups cannot be had. Throws as the file system does. */
  enter(name: string, pid: number): MemoryGroup | null;
  /** What there is, or why there is none, as a sentence. */
  readonly found: string;
}

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
const REMEDY = 'Started with "systemd-run --user --scope -p Delegate=yes ebb", Ebb can.';

export interface GroupsInput {
  readonly files: GroupFiles;
  /** Where the cgroup file system is mounted. */
  readonly root: string;
  /** Ebb's own processes, which are moved aside: a group that is divided holds none itself. */
  readonly own: readonly number[];
}

const words = (text: string | null): string[] => (text ?? '').split(/\s+/).filter(word => word !== '');

/** Of a process, below the root; null where it is in no group of version 2, or in one we do not see. */
function groupOf(files: GroupFiles, pid: number): string | null {
  const path = /^0::(\/.*)$/m.exec(files.read(`/proc/${pid}/cgroup`) ?? '')?.[1];
  return path === undefined || path.includes('/..') ? null : path;
}

/** The group that was divided; a sentence where it cannot be. */
function divide({ files, root, own }: GroupsInput): { readonly base: string } | string {
  const [pid = 0] = own;
  if (files.read(`${root}/cgroup.controllers`) === null)
    return 'This system has no cgroups of version 2, so the kernel does not keep VMs to what they were promised.';
  const group = groupOf(files, pid);
  if (group === null)
    return "Ebb's own cgroup cannot be seen, so the kernel does not keep VMs to what they were promised.";
  const base = `${root}${group}`.replace(/\/$/, '').replace(new RegExp(`/${SERVICE}$`), '');
  if (!words(files.read(`${base}/cgroup.controllers`)).includes('memory'))
    return `Ebb's own cgroup may not limit memory, so the kernel does not keep VMs to what they were promised. ${REMEDY}`;
  if (words(files.read(`${base}/cgroup.subtree_control`)).includes('memory')) return { base };
  const inside = words(files.read(`${base}/cgroup.procs`)).map(Number);
  if (inside.some(one => !own.includes(one)))
    return `Other programs are in Ebb's own cgroup, so the kernel does not keep VMs to what they were promised. ${REMEDY}`;
  try {
    makeIfMissing(files, `${base}/${SERVICE}`);
    for (const one of inside) files.write(`${base}/${SERVICE}/cgroup.procs`, String(one));
    files.write(`${base}/cgroup.subtree_control`, '+memory');
    return { base };
  } catch (cause) {
    undo(files, base, inside);
    return `Ebb may not divide its own cgroup (${cause instanceof Error ? cause.message : String(cause)}), so the kernel does not keep VMs to what they were promised. ${REMEDY}`;
  }
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

const groupAt = (files: GroupFiles, path: string): MemoryGroup => ({
  setHighKib: highKib =>
    files.write(`${path}/memory.high`, highKib === null ? 'max' : String(highKib * 1024)),
  remove: () => {
    try {
      files.removeFolder(path);
    } catch {
      // Its last process may not be reaped yet: the next start of this VM uses it again.
    }
  },
});

export function memoryGroups(input: GroupsInput): MemoryGroups {
  const { files, root } = input;
  const divided = divide(input);
  return {
    found:
      typeof divided === 'string'
        ? divided
        : 'The kernel keeps each VM to what it was promised (memory.high).',
    enter: (name, pid) => {
      const group = groupOf(files, pid);
      // Of an earlier control, which may have been started elsewhere.
      if (group?.endsWith(`/${groupName(name)}`) === true) return groupAt(files, `${root}${group}`);
      if (typeof divided === 'string') return null;
      const path = `${divided.base}/${groupName(name)}`;
      makeIfMissing(files, path);
      files.write(`${path}/cgroup.procs`, String(pid));
      return groupAt(files, path);
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
  memoryGroups({ files: systemFiles, root: '/sys/fs/cgroup', own: [pid, process.ppid] });
