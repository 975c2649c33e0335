// A memory cgroup, version 1 or 2, in which a bench keeps Ebb and its machines: what they take beyond it kills them.
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from './ebb.ts';

const V1 = '/sys/fs/cgroup/memory';
const V2 = '/sys/fs/cgroup';

export interface MemoryGroup {
  /** With all it starts from then on. */
  enter(pid: number): void;
  /** Processes the kernel ended because the limit was reached. */
  kills(): number;
  /** When the last one in it has ended. */
  remove(): Promise<void>;
}

/** Null, with the reason told, where there is no such group to be had. */
export function memoryGroup(
  name: string,
  limitBytes: number,
  say: (line: string) => void,
): MemoryGroup | null {
  const isV2 = existsSync(join(V2, 'cgroup.controllers'));
  const folder = join(isV2 ? V2 : V1, name);
  const put = (file: string, value: string | number): void =>
    writeFileSync(join(folder, file), String(value));
  try {
    if (isV2) writeFileSync(join(V2, 'cgroup.subtree_control'), '+memory');
    mkdirSync(folder);
    put(isV2 ? 'memory.max' : 'memory.limit_in_bytes', limitBytes);
  } catch (cause) {
    say(`no memory cgroup: ${cause instanceof Error ? cause.message : String(cause)}`);
    if (existsSync(folder)) rmdirSync(folder);
    return null;
  }
  return {
    enter: pid => put('cgroup.procs', pid),
    kills: () => {
      const text = readFileSync(join(folder, isV2 ? 'memory.events' : 'memory.oom_control'), 'latin1');
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
    },
    remove: async () => {
      await waitFor(
        `${folder} to be empty`,
        () => readFileSync(join(folder, 'cgroup.procs'), 'latin1') === '',
      );
      rmdirSync(folder);
    },
  };
}
