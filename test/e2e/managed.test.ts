// Journey C3 of the product's findings as its user sees it, in a real browser against the real control: what IT set is locked,
// says by whom and why, holds VMs that were larger, is told when its file breaks, and goes again (its steps 1, 2, 5, 6).
import type { ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { findProgram } from '../../electron/platform/process.ts';
import { CHROMIUM_ARGS } from '../support/chromium.ts';
import { startGateway } from '../support/gateway.ts';
import { ManagedEbb } from '../support/managed-ebb.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let managed: ManagedEbb;
let gateway: ChildProcess;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  managed = await ManagedEbb.start();
  await managed.ebb.createSample('big', { minMib: 64, maxMib: 256, diskMib: 16 });
  const started = await startGateway(managed.ebb.paths.dataFolder);
  gateway = started.gateway;
  browser = await chromium.launch({
    executablePath: findProgram('chromium') ?? '',
    args: [...CHROMIUM_ARGS],
  });
  page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(started.url);
  await page.getByText('big', { exact: true }).first().click();
  await page.getByRole('tab', { name: 'Memory' }).click();
  await page.locator('.memory-page').waitFor();
});
afterAll(async () => {
  await browser?.close();
  gateway?.kill();
  await managed?.dispose();
});

const most = () => page.getByRole('slider', { name: 'Maximum memory' });
async function clean(): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(found => `${found.id}: ${found.nodes[0]?.html.slice(0, 120)}`)).toEqual([]);
}

it('1, 5: a limit comes while the page is open: the VM is held, keeps its own maximum, and the page says both', async () => {
  expect(await page.getByText('is held at').count()).toBe(0);
  await managed.apply({
    'memory.vm.max': { max: '192MiB', reason: 'Programs of this laptop come first' },
    'memory.mode': { value: 'need' },
  });
  await page.getByText('big is held at 192 MiB. Its own maximum, 256 MiB,').waitFor();
  const mark = page.locator('.memory-page .managed-mark').first();
  expect(await mark.textContent()).toContain('Managed by Lab IT');
  expect(await mark.textContent()).toContain('Programs of this laptop come first');
});

it('2: the thumb stops at the limit, and what is set is locked with who set it', async () => {
  expect(Number(await most().getAttribute('aria-valuemax'))).toBeLessThanOrEqual(192 * 1024);
  await most().focus();
  await page.keyboard.press('End');
  expect(Number(await most().getAttribute('aria-valuenow'))).toBeLessThanOrEqual(192 * 1024);
  await page.keyboard.press('Escape');
  await clean();
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  const mode = page.getByRole('dialog').getByRole('radio', { name: 'evenly' });
  expect(await mode.isDisabled()).toBe(true);
  await page.getByRole('button', { name: 'Set by IT…' }).click();
  const table = page.getByRole('dialog').locator('.policy-table');
  expect(await table.getByRole('row').allTextContents()).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/192 MiB.*Lab IT/),
      expect.stringMatching(/need.*Lab IT/i),
    ]),
  );
  await clean();
  await page.keyboard.press('Escape');
});

it('6: a file that breaks is told of over every page, and what it said stays in force', async () => {
  writeFileSync(managed.path(), '{"schema": 1,');
  await page.getByText('A file with limits for this computer has a problem').waitFor();
  await page.getByText('big is held at 192 MiB').waitFor();
  await clean();
  await managed.lift();
  await page.getByText('big is held at').waitFor({ state: 'detached' });
  await page.getByText('A file with limits for this computer has a problem').waitFor({ state: 'detached' });
});
