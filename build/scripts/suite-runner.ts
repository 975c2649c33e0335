// Runs the suites of sim.ts, guest.ts and bench.ts: parses their arguments and writes one document.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BenchSuite, machine, type SimSuite, type SuiteOptions } from '../../test/support/report.ts';

interface Arguments {
  readonly suites: string[];
  readonly json: boolean;
  readonly options: SuiteOptions;
}

const root = join(import.meta.dirname, '..', '..');
const say = (line: string): void => void process.stderr.write(`${line}\n`);

function parse(argv: readonly string[]): Arguments {
  const suites: string[] = [];
  const named: Record<string, string> = {};
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    if (!word.startsWith('--')) suites.push(word);
    else if (word === '--json' || word === '--quick') named[word.slice(2)] = 'true';
    else named[word.slice(2)] = argv[++index] ?? '';
  }
  // A run without --seed takes a random one and prints it, so that every run can be repeated.
  const seed = named.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(named.seed);
  return {
    suites,
    json: named.json === 'true',
    options: { seed, quick: named.quick === 'true', options: named, say },
  };
}

function known(kind: string): string[] {
  const folder = join(root, 'test', kind);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter(name => existsSync(join(folder, name, 'suite.ts')));
}

function table(rows: readonly Record<string, unknown>[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  const names = Object.keys(first);
  const cell = (value: unknown): string =>
    typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(2) : String(value);
  const widths = names.map(name => Math.max(name.length, ...rows.map(row => cell(row[name]).length)));
  const line = (cells: string[]): string =>
    cells.map((text, index) => text.padEnd(widths[index] ?? 0)).join('  ');
  return [line(names), ...rows.map(row => line(names.map(name => cell(row[name]))))].join('\n');
}

async function runOne(kind: 'sim' | 'guest' | 'bench', suite: string, given: Arguments): Promise<unknown> {
  const file = pathToFileURL(join(root, 'test', kind, suite, 'suite.ts')).href;
  if (kind === 'bench') {
    const { rows } = await ((await import(file)) as BenchSuite).run(given.options);
    if (!given.json) process.stdout.write(`${suite} on ${machine()}\n${table(rows as never)}\n`);
    return { suite, machine: machine(), rows };
  }
  const outcome = await ((await import(file)) as SimSuite).run(given.options);
  if (!given.json) {
    process.stdout.write(
      `${suite}: seed ${given.options.seed}, ${outcome.runs} runs, ${outcome.violations.length} violations\n`,
    );
    for (const violation of outcome.violations.slice(0, 20)) process.stdout.write(`  ${violation}\n`);
    process.stdout.write(`${table(outcome.switchOffs as never)}\n${table((outcome.rows ?? []) as never)}\n`);
    if (outcome.told !== undefined) process.stdout.write(`${table(outcome.told)}\n`);
  }
  return {
    suite,
    seed: given.options.seed,
    ...outcome,
    violations: outcome.violations.length,
    violationList: outcome.violations.slice(0, 100),
  };
}

/** `npm run -s sim -- SUITE [--seed S] [--quick] [--json]`. Exit 0 when it ran. */
export async function runSuites(kind: 'sim' | 'guest' | 'bench', argv: readonly string[]): Promise<void> {
  const given = parse(argv);
  const all = known(kind);
  const bad = given.suites.filter(name => !all.includes(name));
  const isHelp = argv.includes('--help') || argv.includes('-h');
  if (isHelp || bad.length > 0 || (given.json && given.suites.length !== 1)) {
    say(`usage: npm run -s ${kind} -- SUITE [--seed S] [--quick] [--json]; suites: ${all.join(', ')}`);
    process.exit(isHelp ? 0 : 2);
  }
  for (const suite of given.suites.length > 0 ? given.suites : all) {
    const document = await runOne(kind, suite, given);
    if (given.json) process.stdout.write(`${JSON.stringify(document)}\n`);
  }
}
