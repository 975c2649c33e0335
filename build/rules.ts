// `node build/rules.ts` rewrites the table of rules in renderer/help/architecture.md: what each rule says,
// where code cites it, which tests name it. A test compares; a rule that is cited no more shows in review.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readModules, repositoryRoot, type SourceModule } from './layers.ts';

/** The rules in short; their reasons are in the specifications beside the code. */
export const RULES: Readonly<Record<string, string>> = {
  T1: 'A UUID names a point, not the role of a file',
  T2: 'An edge is turned by backing up, overwriting and dropping, batch by batch',
  T3: 'The backward delta is its own undo log: three states of a block, in a durable order',
  T4: 'The content of a point changes by nothing but its own deletion',
  T5: 'One root; timeline.db is the truth, the headers suffice to rebuild it',
  T6: 'Taking a point copies nothing',
  T7: 'Going back is a new leaf; the present is kept as a branch',
  T8: 'Deleting the oldest is one unlink; in the middle the smaller delta moves',
  T9: 'Pending points are settled edge by edge, oldest first',
  T10: 'After a crash a sector reads old or new; one that was flushed reads new',
  T11: 'The death of storage is no power cut: the guest lives on',
  T12: 'The format of the files, exactly',
  T13: 'A differencing VHD is never given to QEMU’s own reader',
  T14: 'Room is looked for before; a full disk pauses; a failed sync poisons',
  T15: 'Limits are stated and tested; nothing recurses on depth',
  T16: 'Big moves share where the filesystem can, and are the same bytes where not',
  T17: 'At rest, now is exactly one VHD',
  T18: 'What stays allowed during a reversal',
  M1: 'The plan is pure: model and time in, targets and reasons out',
  M2: 'What is promised never exceeds the host, even if every guest takes its target',
  M3: 'Free before giving; never below the minimum, never above the maximum',
  M4: 'Asked is not done: what a guest has comes only from QEMU',
  M5: 'Planned again at every event and on a tick; a watchdog tells the age of the plan',
  M6: 'A start is a lease, stored before QEMU is spawned',
  M7: 'Every move is a sentence with its cause, and can be replayed',
  M8: 'On a new platform it is measured whether inflating frees memory',
  M9: 'A target is journaled before it is sent; a restart assumes the larger',
  M10: 'A reserve and a cap for everyone, enforced in control',
  L1: 'One supervisor owns a VM’s process, session and state',
  L2: 'The accelerator is chosen by a probe boot',
  L3: 'The devices and the sandbox of every QEMU',
  L4: 'The exact arguments are stored with a suspended state',
  L5: 'A VM paused by an error goes on when its cause is gone',
};

const NAMED_MAX = 3;
const BEGIN = '<!-- rules: made by node build/rules.ts -->';
export const architectureFile = join(repositoryRoot, 'renderer', 'help', 'architecture.md');

/** Whether a module cites a rule: `T3` as a word of its own, never inside another word. */
const names = (module: SourceModule, rule: string): boolean => new RegExp(`\\b${rule}\\b`).test(module.text);

function places(modules: readonly SourceModule[], rule: string): string {
  const found = modules.filter(module => names(module, rule)).map(({ path }) => `\`${path}\``);
  const more = found.length - NAMED_MAX;
  return [...found.slice(0, NAMED_MAX), ...(more > 0 ? ['and more'] : [])].join(', ');
}

export function rulesTable(source: readonly SourceModule[], tests: readonly SourceModule[]): string {
  const rows = Object.entries(RULES).map(
    ([rule, text]) => `| ${rule} | ${text} | ${places(source, rule)} | ${places(tests, rule)} |`,
  );
  return ['| Rule | What it says | Cited in | Tested in |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The document with a newly made table. */
export function withRules(text: string): string {
  const source = readModules(repositoryRoot, ['electron', 'shared', 'renderer']);
  const tests = readModules(repositoryRoot, ['test']).filter(({ path }) => path.endsWith('.test.ts'));
  const at = text.indexOf(BEGIN);
  if (at < 0) throw new Error(`${architectureFile} has no place for the rules`);
  return `${text.slice(0, at)}${BEGIN}\n\n${rulesTable(source, tests)}\n`;
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(architectureFile, withRules(readFileSync(architectureFile, 'utf8')));
