// What is made of the table for people and their tools: help, the manual, completion; and how a task is shown.
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { candidates, SCRIPTS } from '../../../../electron/shells/cli/completion.ts';
import { commandHelp, helpOf, usageLine } from '../../../../electron/shells/cli/help.ts';
import { manPage } from '../../../../electron/shells/cli/man.ts';
import { barLine, stepLine } from '../../../../electron/shells/cli/progress.ts';
import { shownCommands } from '../../../../electron/shells/cli/table.ts';
import { optionsOf } from '../../../../electron/shells/cli/words.ts';
import type { Task } from '../../../../shared/task.ts';

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

describe('help', () => {
  it('says how a command is written', () => {
    expect(usageLine('mem set')).toBe(
      'usage: ebb mem set VM [--min SIZE] [--max SIZE] [--weight N] [--balance BALANCE]',
    );
    expect(usageLine('point go-back')).toContain(
      'VM POINT [--keep NAME] [--shutdown | --force] [--setup] [--fresh] [--no-wait]',
    );
    expect(usageLine('vm create')).toContain('(--sample | --iso FILE | --disk FILE | --empty)');
    expect(usageLine('mem policy')).toContain('[--budget SIZE|none]');
    expect(usageLine('events')).toBe('usage: ebb events [TOPIC …] [--vm VM]');
  });

  it('is there for everything that may be said', () => {
    const all = helpOf(null) ?? '';
    for (const [name, row] of shownCommands()) {
      expect(all).toContain(`ebb ${name} `);
      for (const option of Object.keys(optionsOf(row))) expect(commandHelp(name)).toContain(`--${option}`);
    }
    expect(all).not.toContain('__complete');
    expect(helpOf('task')?.match(/^ {2}ebb (?!COMMAND)/gm)).toHaveLength(5);
    expect(helpOf('nothing')).toBeUndefined();
    for (const line of all.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });
});

describe('the manual', () => {
  it('names every command and every exit code', () => {
    for (const [name] of shownCommands())
      expect(manPage()).toContain(`.SS ebb ${name.replaceAll('-', '\\-')}`);
    for (const code of [0, 77, 130]) expect(manPage()).toContain(`.B ${code}\n`);
  });

  it.skipIf(!has('groff'))(
    `is taken by troff without a warning${has('groff') ? '' : ' (skipped: no groff here)'}`,
    () => {
      const { stdout, stderr, status } = spawnSync('groff', ['-man', '-Tutf8', '-ww'], { input: manPage() });
      expect([status, stderr.toString()]).toEqual([0, '']);
      expect(stdout.toString()).toContain('ebb point take demo before-update');
    },
  );
});

describe('completion', () => {
  const words = (...typed: string[]) => candidates(typed).words;
  it('offers what the table takes there', () => {
    expect(words('')).toContain('vm');
    expect(words('')).toContain('revert');
    expect(words('task', '')).toEqual(['list', 'follow', 'pause', 'resume', 'cancel']);
    expect(words('vm', 'create', 'a', '--os', '')).toEqual([
      'linux',
      'windows',
      'windows-11',
      'bsd',
      'other',
    ]);
    expect(words('vm', 'create', 'a', '--os=')).toEqual([
      '--os=linux',
      '--os=windows',
      '--os=windows-11',
      '--os=bsd',
      '--os=other',
    ]);
    expect(words('vm', 'settle', 'a', '')).toEqual(['run', 'pause', 'undo']);
    expect(words('events', 'vms', '')).toContain('ledger');
    expect(words('vm', 'list', '-')).toEqual(['--help', '--json', '--ndjson', '--quiet']);
    expect(words('nothing', '')).toEqual([]);
  });

  it('asks the service only for names, of the VM that is named', () => {
    expect(candidates(['point', 'delete', '--purge', 'my\\ vm', '']).living).toEqual({
      kind: 'point',
      vm: 'my vm',
    });
    expect(candidates(['point', 'restore', 'a', '']).living).toEqual({ kind: 'trashed', vm: 'a' });
    expect(candidates(['disk', 'grow', 'a', '8G', '--disk', '']).living).toEqual({ kind: 'disk', vm: 'a' });
    expect(candidates(['vm', 'create', '']).living).toBeNull();
    expect(candidates(['point', 'import-delta', 'a', '']).isFile).toBe(true);
  });

  const SYNTAX = { bash: '-n', zsh: '-n', fish: '--no-execute' } as const;
  for (const [shell, check] of Object.entries(SYNTAX)) {
    const why = has(shell) ? '' : ` (skipped: no ${shell} here)`;
    it.skipIf(why !== '')(`is a script that ${shell} reads${why}`, () => {
      execFileSync(shell, [check], { input: SCRIPTS[shell as keyof typeof SCRIPTS] });
    });
  }
});

describe('a task under way', () => {
  const task = (step: string, progress: number | null, state: Task['state'] = 'running', isPaused = false) =>
    ({ title: 'Export a', step, progress, state, isPaused, bytesDone: null, bytesTotal: null }) as Task;
  const of100 = (mib: number, isPaused = false): Task => ({
    ...task('copying', mib / 100, 'running', isPaused),
    bytesDone: mib * 2 ** 20,
    bytesTotal: 100 * 2 ** 20,
  });

  it('is a bar no wider than the terminal', () => {
    expect(barLine(task('1 of 2 GiB', 0.5), 100)).toBe(
      'Export a [============            ]  50 %  1 of 2 GiB',
    );
    expect(barLine(task('1 of 2 GiB', 0.5), 60)).toBe('Export a  50 %  1 of 2 GiB');
    expect(barLine(task('waiting', null), 100)).toBe('Export a  waiting');
    expect(barLine(of100(50, true), 69)).toBe('Export a  50 %  paused: copying: 50 MiB of 100 MiB');
    expect(barLine(task('x'.repeat(200), 0.999), 80)).toHaveLength(79);
  });

  it('is a line for each step and each tenth elsewhere', () => {
    const said: string[] = [];
    let before: Task | null = null;
    for (const next of [
      task('', null),
      task('looking', null),
      of100(1),
      of100(2),
      of100(11),
      of100(12, true),
      of100(12),
      task('making it durable', null),
      task('making it durable', 1, 'done'),
    ]) {
      said.push(...[stepLine(next, before)].filter(line => line !== null));
      before = next;
    }
    expect(said).toEqual([
      'Export a: looking',
      'Export a: copying: 1 MiB of 100 MiB (1 %)',
      'Export a: copying: 11 MiB of 100 MiB (11 %)',
      'Export a: paused: copying: 12 MiB of 100 MiB (12 %)',
      'Export a: copying: 12 MiB of 100 MiB (12 %)',
      'Export a: making it durable',
    ]);
  });
});
