// Somebody who may only look, in a real browser: signs in with a token, is told what that means, finds what changes anything turned
// off with the reason, and is out when the token is revoked.
import type { ChildProcess } from 'node:child_process';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { findProgram } from '../../electron/platform/process.ts';
import { CHROMIUM_ARGS } from '../support/chromium.ts';
import { Ebb } from '../support/ebb.ts';
import { startGateway } from '../support/gateway.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let ebb: Ebb;
let gateway: ChildProcess;
let browser: Browser;
let page: Page;
let origin: string;

beforeAll(async () => {
  ebb = await Ebb.start();
  await ebb.createSample('dev', { minMib: 64, maxMib: 128, diskMib: 16 });
  const started = await startGateway(ebb.paths.dataFolder);
  gateway = started.gateway;
  origin = new URL(started.url).origin;
  browser = await chromium.launch({
    executablePath: findProgram('chromium') ?? '',
    args: [...CHROMIUM_ARGS],
  });
  page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(30_000);
});
afterAll(async () => {
  await browser?.close();
  gateway?.kill();
  await ebb?.dispose();
});

const button = (name: string) => page.getByRole('button', { name, exact: true }).first();
async function clean(): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(found => `${found.id}: ${found.nodes[0]?.html.slice(0, 120)}`)).toEqual([]);
}

it('a token that is none is refused in words, a good one opens the window', async () => {
  await page.goto(origin);
  await page.getByLabel('Token').fill('not-a-token');
  await button('Sign in').click();
  await page.getByText('is not one').waitFor();
  await clean();
  const { secret } = await ebb.call('headless.create-token', { name: 'ana', role: 'view' });
  await page.getByLabel('Token').fill(secret);
  await button('Sign in').click();
  await page.getByText('Signed in as ana').waitFor();
  expect(page.url()).not.toContain(secret);
});

it('what would change anything is off, and says why; what looks is on', async () => {
  const reason = page.locator('#role-reason');
  expect(await reason.textContent()).toContain('nothing can be changed from here');
  await page.getByText('dev', { exact: true }).first().click();
  await page.locator('.head h1').filter({ hasText: 'dev' }).waitFor();
  const start = page.locator('.head').getByRole('button', { name: 'Start' });
  expect(await start.isDisabled()).toBe(true);
  expect(await start.getAttribute('aria-describedby')).toBe('role-reason');
  await page.getByRole('tab', { name: 'History' }).click();
  await page.locator('.timeline [role=option]').first().waitFor();
  const take = page.locator('.history-bar').getByRole('button').last();
  expect(await take.isDisabled()).toBe(true);
  await page.getByRole('tab', { name: 'Memory' }).click();
  await page.locator('.memory-page').waitFor();
  await clean();
});

it('when the token is revoked the window says so, by itself', async () => {
  const { tokens } = await ebb.call('headless.tokens', {});
  const tokenId = tokens[0]?.id;
  if (tokenId === undefined) throw new Error('no token');
  await ebb.call('headless.revoke-token', { tokenId });
  await page.getByLabel('Token').waitFor();
});

it('who may operate starts VMs and deletes none, and leaves by signing out', async () => {
  const { secret } = await ebb.call('headless.create-token', { name: 'bo', role: 'operate' });
  await page.goto('about:blank');
  await page.goto(`${origin}/#token=${secret}`);
  await page.getByText('Signed in as bo').waitFor();
  await page.getByText('dev', { exact: true }).first().click();
  const start = page.locator('.head').getByRole('button', { name: 'Start' });
  await start.waitFor();
  expect(await start.isDisabled()).toBe(false);
  await page.getByRole('tab', { name: 'Settings' }).click();
  expect(await button('Delete…').or(button('Delete')).first().isDisabled()).toBe(true);
  await button('Sign out').click();
  await page.getByLabel('Token').waitFor();
  expect((await ebb.call('headless.sessions', {})).sessions).toEqual([]);
});
