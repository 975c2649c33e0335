// What a real guest shows of itself in a real browser, besides its screen: what it is still waited for, its serial line.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { repositoryRoot } from '../../build/layers.ts';
import type { VmId } from '../../shared/ids.ts';
import { launchChromium } from '../support/chromium.ts';
import { complaintsOf } from '../support/complaints.ts';
import { type Agent, Ebb, waitFor } from '../support/ebb.ts';
import { startGateway } from '../support/gateway.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const artifacts = join(repositoryRoot, 'test', 'artifacts');
let ebb: Ebb;
let gateway: ChildProcess;
let browser: Browser;
let page: Page;
let agent: Agent;
let vmId: VmId;
let complaints: string[] = [];

async function clean(name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({
      path: join(artifacts, `consoles-${name}-${colorScheme}.png`),
      animations: 'disabled',
    });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(found => `${found.id}: ${found.nodes[0]?.html.slice(0, 120)}`)).toEqual([]);
  }
}

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  ebb = await Ebb.start();
  ({ vmId } = await ebb.createSample('shown', { minMib: 112, maxMib: 128, diskMib: 16 }));
  let url: string;
  ({ url, gateway } = await startGateway(ebb.paths.dataFolder));
  browser = await launchChromium();
  page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(60_000);
  complaints = complaintsOf(page);
  await page.goto(url);
  await page.getByText('shown').first().waitFor();
});
afterAll(async () => {
  await browser?.close();
  gateway?.kill();
  await ebb?.dispose();
});

describe('a guest in the window', () => {
  it('is told of while it comes up; then it runs', async () => {
    await page.goto(`${page.url().split('#')[0]}#/vm/${vmId}/summary`);
    const chip = (words: string) => page.locator('.head .chip').filter({ hasText: words }).waitFor();
    await page.locator('.head').getByRole('button', { name: 'Start' }).click();
    await chip('Running: waiting for its guest to be up');
    agent = await ebb.agent(vmId);
    await page.getByText('The guest answers.').waitFor();
    await page
      .locator('.head .chip')
      .filter({ hasText: /Running \d/ })
      .waitFor();
  });

  it('is seen small in the list, while somebody looks; a VM that is off shows its state', async () => {
    let asked = 0;
    page.on('websocket', socket =>
      socket.on('framesent', ({ payload }) => {
        if (payload.toString().includes('vm.thumbnail')) asked += 1;
      }),
    );
    await ebb.createSample('off', { minMib: 112, maxMib: 128, diskMib: 16 });
    await page.reload();
    await page.getByRole('button', { name: 'This computer' }).click();
    const row = (name: string) => page.locator('.table.vms tr').filter({ hasText: name });
    await row('shown').locator('.thumbnail img').waitFor();
    const size = await row('shown')
      .locator('img')
      .evaluate(image => [
        (image as HTMLImageElement).naturalWidth,
        (image as HTMLImageElement).naturalHeight,
      ]);
    expect(size).toEqual([160, 89]);
    await row('off').locator('.thumbnail .shape').waitFor();
    expect(await page.locator('.thumbnail img').count()).toBe(1);
    await clean('list');
    const turn = (isHidden: boolean): Promise<void> =>
      page.evaluate(hidden => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event('visibilitychange'));
      }, isHidden);
    // Hidden it stops, and seen again it asks at once: not when it would have.
    const before = asked;
    await turn(true);
    await turn(false);
    await waitFor('one more question', () => asked > before || null);
  });

  it('has a serial line to type into, and gives the keyboard back', async () => {
    await agent.call('sh', {
      cmd: "(setsid sh -c 'exec sh -i </dev/ttyS0 >/dev/ttyS0 2>&1') >/dev/null 2>&1 &",
    });
    await page.goto(`${page.url().split('#')[0]}#/vm/${vmId}/console`);
    const status = page.locator('.console-bar [role=status]');
    // noVNC complains in the console of one who leaves before it is open.
    await status.filter({ hasText: 'Click the screen' }).waitFor();
    await page.getByText('Serial', { exact: true }).click();
    await page.locator('.console-host').click();
    await status.filter({ hasText: 'Press Ctrl+Alt' }).waitFor();
    await page.keyboard.type("printf '\\033]0;owned\\007%s\\n' $((6*7))-serial");
    // What a page would take for itself is the guest's.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.locator('.xterm-rows').filter({ hasText: '42-serial' }).waitFor();
    expect(await page.title()).not.toContain('owned');
    await clean('serial');
    await page.keyboard.down('Control');
    await page.keyboard.press('Alt');
    await page.keyboard.up('Control');
    await status.filter({ hasText: 'Click it to type' }).waitFor();
    await page.getByText('Screen', { exact: true }).click();
    await page.locator('.console-screen canvas').waitFor();
    // Opened again it shows what came before.
    await page.getByText('Serial', { exact: true }).click();
    await page.locator('.xterm-rows').filter({ hasText: '42-serial' }).waitFor();
  });

  it('left no error in the console', () => {
    expect(complaints).toEqual([]);
  });
});
