// What a tree of processes takes: memory with what it shares counted in parts, and processor time.
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

const statOf = (pid: number): string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The command's name is in parentheses and may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
};

/** Null once it has ended. */
function parentOf(pid: number): number | null {
  try {
    return Number(statOf(pid)[1]);
  } catch {
    return null;
  }
}

export function treeOf(root: number): number[] {
  const all = readdirSync('/proc').filter(name => /^\d+$/.test(name));
  const parents = new Map(all.map(name => [Number(name), parentOf(Number(name))]));
  const found = [root];
  for (const pid of found)
    for (const [child, parent] of parents) if (parent === pid && !found.includes(child)) found.push(child);
  return found;
}

/** Processor seconds since it began, of all its threads. */
export function processorSeconds(pid: number): number {
  const [user, system] = statOf(pid).slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / TICKS_PER_SECOND;
}

const figureMib = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) / 1024;

export const residentMib = (pid: number): number =>
  figureMib(readFileSync(`/proc/${pid}/status`, 'latin1'), 'VmRSS');

/** Pages shared by several count in each as its part: the sum over a tree is what the tree takes. */
export const proportionalMib = (pid: number): number =>
  figureMib(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'), 'Pss');
