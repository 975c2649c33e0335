// What an Ebb left behind: processes that name its folders, and sockets in its run folder that somebody still serves.
import { readdirSync, readFileSync } from 'node:fs';
import type { EbbPaths } from '../../electron/platform/paths.ts';
import { waitFor } from './ebb.ts';

export interface Process {
  readonly pid: number;
  readonly words: readonly string[];
}

/** Not ended ones that nobody has waited for. */
export function processesOf({ dataFolder, runFolder }: EbbPaths): Process[] {
  const found: Process[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (words.some(word => word.includes(dataFolder) || word.includes(runFolder)))
        found.push({ pid, words });
    } catch (cause) {
      if (!['ENOENT', 'ESRCH'].includes((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
    }
  }
  return found;
}

export const isQemu = ({ words }: Process): boolean => words[0]?.includes('qemu-system') === true;

/** Paths that a process listens at. */
export function servedSockets({ runFolder }: EbbPaths): string[] {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter(line => line.split(/\s+/)[3] === '00010000')
    .flatMap(line => /\s(\/.*)$/.exec(line)?.[1] ?? [])
    .filter(path => path.startsWith(`${runFolder}/`));
}

/** What may take a moment must come true, and is told where it does not. */
export async function atLast(what: string, wrongNow: () => Promise<string[]>): Promise<string[]> {
  let wrong: string[] = [];
  await waitFor(what, async () => {
    wrong = await wrongNow();
    return wrong.length === 0;
  }).catch(() => undefined);
  return wrong;
}
