// `npm test`: runs every suite, compares its minutes with test/budget.json (twice the row fails the suite),
// and ends with one line of totals.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildAll } from '../build-all.ts';
import { repositoryRoot } from '../layers.ts';
import { runTool, toolPath } from './process.ts';

interface Suite {
  readonly name: string;
  readonly paths: readonly string[];
  readonly serial: boolean;
}

const SUITES: readonly Suite[] = [
  {
    name: 'unit',
    paths: ['test/layers.test.ts', 'test/tidy.test.ts', 'test/golden', 'test/unit', 'test/property'],
    serial: false,
  },
  { name: 'sim', paths: ['test/sim'], serial: false },
  // Real services and tools, without booting a guest.
  { name: 'services', paths: ['test/services'], serial: false },
  { name: 'guest', paths: ['test/guest'], serial: true },
  { name: 'e2e', paths: ['test/e2e'], serial: true },
];
const budget = JSON.parse(readFileSync(join(repositoryRoot, 'test', 'budget.json'), 'utf8')) as Record<
  string,
  number
>;
const artifacts = join(repositoryRoot, 'test', 'artifacts');

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  /** Each failure with its message, repeated at the end: a log cut at its beginning still shows it. */
  readonly failures: string[];
}

interface Report {
  readonly numPassedTests?: number;
  readonly numFailedTests?: number;
  readonly numPendingTests?: number;
  readonly numTodoTests?: number;
  readonly testResults?: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const LINES_OF_A_FAILURE = 25;

function failuresOf(report: Report): string[] {
  return (report.testResults ?? []).flatMap(file => {
    const failed = file.assertionResults.filter(test => test.status === 'failed');
    const said = failed.map(test => [test.fullName, ...(test.failureMessages ?? [])]);
    if (failed.length === 0 && file.status === 'failed') said.push([file.message]);
    return said.map(words =>
      [relative(repositoryRoot, file.name), ...words]
        .join('\n')
        .split('\n')
        .slice(0, LINES_OF_A_FAILURE)
        .join('\n  '),
    );
  });
}

function addReport(file: string, totals: Totals): void {
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  totals.passed += report.numPassedTests ?? 0;
  totals.failed += report.numFailedTests ?? 0;
  totals.skipped += (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  totals.failures.push(...failuresOf(report));
}

async function runSuite(suite: Suite, totals: Totals): Promise<string> {
  const file = join(artifacts, `report-${suite.name}.json`);
  rmSync(file, { force: true });
  const args = [
    'run',
    '--config',
    'build/vitest.config.ts',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ];
  if (suite.serial) args.push('--no-file-parallelism');
  const { status, seconds } = await runTool(toolPath('vitest'), [...args, ...suite.paths]);
  const before = totals.failed;
  try {
    addReport(file, totals);
  } catch (cause) {
    console.log(`${suite.name}: no report (${String(cause)})`);
  }
  if (status !== 0 && totals.failed === before) totals.failed++;
  return timing(suite.name, seconds / 60, totals);
}

function timing(name: string, minutes: number, totals: Totals): string {
  const allowed = budget[name] ?? 0;
  const over = minutes > 2 * allowed;
  if (over) totals.failed++;
  return `${name.padEnd(8)} ${minutes.toFixed(1)} min of ${allowed}${over ? ': OVER TWICE ITS BUDGET, failed' : ''}`;
}

async function main(): Promise<void> {
  mkdirSync(artifacts, { recursive: true });
  const totals: Totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const lines: string[] = [];
  const wanted = process.argv.slice(2);
  if (wanted.length === 0 || wanted.includes('check')) {
    const check = await runTool(process.execPath, [join(import.meta.dirname, 'check.ts')]);
    if (check.status === 0) totals.passed++;
    else totals.failed++;
    lines.push(timing('check', check.seconds / 60, totals));
  }
  // The browser journeys use the built page; making the bundles is their check.
  await buildAll({ always: false });
  for (const suite of SUITES) {
    if (wanted.length === 0 || wanted.includes(suite.name)) lines.push(await runSuite(suite, totals));
  }
  for (const failure of totals.failures) console.log(`\nfailed: ${failure}`);
  console.log(`\nminutes per suite\n${lines.map(line => `  ${line}`).join('\n')}\n`);
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  process.exit(totals.failed === 0 ? 0 : 1);
}

await main();
