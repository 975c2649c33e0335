// `npm run -s bench -- ui [--quick] [--json]`: what a person feels of the window, in real Chromium on the built page, with
// 200 VMs and a history of 5,000 points under 20 updates a second. The service is make-believe, its contract is not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, CDPSession, Page } from 'playwright';
import { buildAll } from '../../../build/build-all.ts';
import { repositoryRoot } from '../../../build/layers.ts';
import { launchChromium } from '../../support/chromium.ts';
import { type FakeServer, startFakeControl } from '../../support/fake-control.ts';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { type Interactions, interact } from './interactions.ts';

const UPDATES_MS = 50;
const SIZE = { width: 1280, height: 800 };

interface Limit {
  readonly work: string;
  readonly floor: number;
  readonly goal: number;
}
const LIMITS = {
  paint: { work: 'interaction to next paint, p95: ms', floor: 200, goal: 60 },
  load: { work: 'load to usable list: ms', floor: 1500, goal: 700 },
  memory: { work: 'renderer memory, proportional: MiB', floor: 350, goal: 200 },
  script: { work: 'initial JS, gzip: kB', floor: 350, goal: 200 },
  hidden: { work: 'script, style and layout while hidden: ms in 5 s', floor: 0, goal: 0 },
} satisfies Record<string, Limit>;

const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
};
const median = (values: readonly number[]): number => quantile(values, 0.5);

function row({ work, floor, goal }: Limit, values: readonly number[], ours: number, note = ''): BenchRow {
  const middle = median(values);
  return {
    work: `${work}${note}`,
    peer: `goal ${goal}`,
    ours,
    theirs: goal,
    ratio: goal === 0 ? ours : ours / goal,
    spread: middle === 0 ? 0 : (Math.max(...values) - Math.min(...values)) / middle,
    target: `≤ ${floor} (goal ${goal})`,
    met: ours <= floor,
  };
}

/** What index.html asks for before anything is shown. */
function initialScriptKb(): number {
  const folder = join(repositoryRoot, 'dist', 'renderer');
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const files = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(match => match[1] ?? '');
  if (files.length === 0) throw new Error('index.html names no script');
  return files.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0) / 1000;
}

/** From the start of navigation until the first VM stands in the list, in the page's own clock. */
async function loadOnce(browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext({ viewport: SIZE });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'commit' });
  const handle = await page.waitForFunction(
    () => (document.querySelector('.side-list button') === null ? null : performance.now()),
    undefined,
    { polling: 'raf', timeout: 120_000 },
  );
  const ms = await handle.jsonValue();
  await context.close();
  return ms ?? Number.NaN;
}

async function rendererMib(browser: Browser): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))?.[1]);
  await session.detach();
  return Math.max(...sizes.map(Number)) / 1024;
}

async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  const seconds = metrics
    .filter(({ name }) => ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].includes(name))
    .reduce((sum, { value }) => sum + value, 0);
  return seconds * 1000;
}

/** The page is told that nobody sees it, as a browser tells it; updates go on meanwhile. */
async function hiddenMs(page: Page): Promise<number> {
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  // What had come before it was hidden is worked off first.
  let before = await busyMs(session);
  for (let still = 0, round = 0; still < 2 && round < 60; round += 1) {
    await page.waitForTimeout(500);
    const now = await busyMs(session);
    still = now - before < 1 ? still + 1 : 0;
    before = now;
  }
  await page.waitForTimeout(5000);
  return (await busyMs(session)) - before;
}

/** 20 times a second every VM uses another amount of memory; once a second the long history is told anew. */
function stir({ control }: FakeServer): () => void {
  let round = 0;
  const timer = setInterval(() => {
    round += 1;
    const { world } = control;
    for (const vm of world.vms) {
      const { usedKib, actualKib } = vm.memory;
      if (usedKib === null || actualKib === null) continue;
      vm.memory = {
        ...vm.memory,
        usedKib: usedKib + (round % 2),
        actualKib: actualKib + ((round % 64) - 32) * 1024,
      };
    }
    control.tick(UPDATES_MS);
    const long = world.vms[0];
    if (long !== undefined && round % 20 === 0)
      control.topics.publish('timeline', long.summary.spec.id, { ...long.timeline, nowBytes: round });
  }, UPDATES_MS);
  return () => clearInterval(timer);
}

export async function run({ quick, say }: SuiteOptions): Promise<{ rows: BenchRow[] }> {
  await buildAll({ always: false });
  const server = await startFakeControl('crowded', 0, 0);
  const browser = await launchChromium();
  try {
    const loads: number[] = [];
    for (let round = 0; round < (quick ? 3 : 7); round += 1) loads.push(await loadOnce(browser, server.url));
    say(`loads: ${loads.map(ms => ms.toFixed(0)).join(', ')} ms`);
    const stop = stir(server);
    const page = await (await browser.newContext({ viewport: SIZE })).newPage();
    page.setDefaultTimeout(120_000);
    await page.goto(server.url);
    const felt: Interactions = await interact(page, server, quick ? 1 : 3);
    for (const [what, values] of felt)
      say(`${what}: p95 ${quantile(values, 0.95).toFixed(0)} ms of ${values.length}`);
    const all = [...felt.values()].flat();
    const mib = await rendererMib(browser);
    const hidden = await hiddenMs(page);
    stop();
    const script = initialScriptKb();
    return {
      rows: [
        row(LIMITS.paint, all, quantile(all, 0.95), ` (${all.length} interactions)`),
        row(LIMITS.load, loads, median(loads)),
        row(LIMITS.memory, [mib], mib),
        row(LIMITS.script, [script], script),
        // What a measurement itself costs: Chromium counts in microseconds.
        row(LIMITS.hidden, [hidden], Math.floor(hidden)),
      ],
    };
  } finally {
    await browser.close();
    server.close();
  }
}
