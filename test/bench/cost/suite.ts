// `npm run -s bench -- cost [--quick] [--json]`: what Ebb itself takes. The bundles are measured, as they ship: control
// and storage without VMs, the window open in Chromium beside the gateway (where there is no Electron that is the
// window), and the time from nothing running to a list that can be used. Floors must be met, goals are wished for.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserServer, chromium, type Page } from 'playwright';
import { buildAll } from '../../../build/build-all.ts';
import { repositoryRoot } from '../../../build/layers.ts';
import { findProgram } from '../../../electron/platform/process.ts';
import { Ebb, pause } from '../../support/ebb.ts';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { processorSeconds, proportionalMib, residentMib, treeOf } from './processes.ts';

const MAIN = join(repositoryRoot, 'dist', 'electron', 'shells', 'headless', 'main.js');
const VM_NAME = 'bench';
const CHROMIUM_ARGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

interface Measure {
  readonly work: string;
  readonly floor: number;
  readonly goal: number;
}
const MEASURES = {
  memory: { work: 'services without VMs: MiB resident', floor: 150, goal: 90 },
  // Both are the same Node: resident counts its pages twice, what they take does not.
  shared: { work: 'services without VMs: MiB, shared pages in parts', floor: 150, goal: 90 },
  processor: { work: 'services without VMs: % of one processor', floor: 0.5, goal: 0.1 },
  window: { work: 'window open: MiB, shared pages in parts', floor: 400, goal: 280 },
  start: { work: 'nothing running to a usable list: s', floor: 2.5, goal: 1.2 },
} as const satisfies Record<string, Measure>;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** One row against what must be, one against what is wished for. */
function rowsOf({ work, floor, goal }: Measure, found: readonly number[]): BenchRow[] {
  const ours = median(found);
  const spread = (Math.max(...found) - Math.min(...found)) / ours;
  return Object.entries({ floor, goal }).map(([peer, theirs]) => ({
    work: `${work} (less is better)`,
    peer,
    ours,
    theirs,
    ratio: ours / theirs,
    spread,
    target: `≤ ${theirs}`,
    met: ours <= theirs,
  }));
}

function gatewayOn(dataFolder: string): { process: ChildProcess; url: Promise<string> } {
  const gateway = spawn(process.execPath, [MAIN, '--data', dataFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  const url = new Promise<string>((resolve, reject) => {
    gateway.stdout?.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      const found = /http:\/\/\S+/.exec(printed)?.[0];
      if (found !== undefined) resolve(found);
    });
    gateway.once('close', code => reject(new Error(`the gateway ended with ${code}: ${printed}`)));
  });
  return { process: gateway, url };
}

interface Window {
  readonly gateway: ChildProcess;
  readonly browser: BrowserServer;
  readonly page: Page;
}

const launched = (): Promise<BrowserServer> =>
  chromium.launchServer({
    executablePath: findProgram('chromium') ?? '/usr/bin/chromium',
    args: CHROMIUM_ARGS,
  });

/** Of the same browser without us: what is left of a window's cost is ours. */
async function measureBlank(settleMs: number): Promise<number> {
  const browser = await launched();
  await (await chromium.connect(browser.wsEndpoint())).newPage();
  await pause(settleMs);
  const taken = sum(treeOf(browser.process().pid ?? 0).map(proportionalMib));
  await browser.close();
  return taken;
}

/** As `npm start` does it: the gateway finds or starts the services, then a browser opens its link. */
async function openWindow(dataFolder: string): Promise<Window> {
  const gateway = gatewayOn(dataFolder);
  const url = await gateway.url;
  const browser = await launched();
  const page = await (await chromium.connect(browser.wsEndpoint())).newPage();
  await page.goto(url);
  await page.locator('.side-list').getByText(VM_NAME).waitFor();
  return { gateway: gateway.process, browser, page };
}

async function closeWindow({ gateway, browser }: Window): Promise<void> {
  await browser.close();
  const closed = new Promise(resolve => gateway.once('close', resolve));
  gateway.kill('SIGTERM');
  await closed;
}

async function makeVm(folder: string): Promise<void> {
  const ebb = await Ebb.start(folder);
  await ebb.createSample(VM_NAME, { diskMib: 64 });
  await ebb.quit();
}

async function measureStarts(folder: string, count: number, say: SuiteOptions['say']): Promise<number[]> {
  const seconds: number[] = [];
  for (let round = 0; round < count; round++) {
    const from = performance.now();
    const window = await openWindow(folder);
    seconds.push((performance.now() - from) / 1000);
    say(`start ${round + 1}: ${seconds.at(-1)?.toFixed(2)} s`);
    await closeWindow(window);
    await (await Ebb.start(folder)).quit();
  }
  return seconds;
}

interface Costs {
  readonly memory: number[];
  readonly shared: number[];
  readonly processor: number[];
  readonly window: number[];
}

/** Idle for a while before it counts: what a start leaves to be collected is not what running costs. */
async function measureRunning(folder: string, quick: boolean, say: SuiteOptions['say']): Promise<Costs> {
  const [settleMs, periodMs, periods] = quick ? [5_000, 5_000, 3] : [30_000, 20_000, 3];
  const blank = await measureBlank(settleMs);
  const window = await openWindow(folder);
  const ebb = await Ebb.start(folder);
  const pids = [ebb.controlPid(), await ebb.storagePid()];
  await pause(settleMs);
  const windowTree = [...treeOf(window.browser.process().pid ?? 0), ...treeOf(window.gateway.pid ?? 0)];
  const shown = sum(windowTree.map(proportionalMib));
  say(`of the window's ${shown.toFixed(0)} MiB the browser has ${blank.toFixed(0)} for a blank page`);
  const costs: Costs = { memory: [], shared: [], processor: [], window: [shown] };
  // Without the window: its clock asks the service for figures.
  await closeWindow(window);
  await pause(settleMs);
  for (let period = 0; period < periods; period++) {
    const before = sum(pids.map(processorSeconds));
    const from = performance.now();
    await pause(periodMs);
    const seconds = (performance.now() - from) / 1000;
    costs.processor.push((100 * (sum(pids.map(processorSeconds)) - before)) / seconds);
    costs.memory.push(sum(pids.map(residentMib)));
    costs.shared.push(sum(pids.map(proportionalMib)));
  }
  await ebb.quit();
  return costs;
}

export async function run({ quick, say }: SuiteOptions): Promise<{ rows: BenchRow[] }> {
  await buildAll({ always: false });
  const folder = mkdtempSync(join(tmpdir(), 'ebb-cost-'));
  try {
    await makeVm(folder);
    const start = await measureStarts(folder, quick ? 3 : 7, say);
    const found = { ...(await measureRunning(folder, quick, say)), start };
    return {
      rows: Object.entries(MEASURES).flatMap(([name, measure]) =>
        rowsOf(measure, found[name as keyof typeof found]),
      ),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
