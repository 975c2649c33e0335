// Somebody who may only look, in a real browser: signs in with a token, is told what that means, finds what changes anything turned
// off with the reason, and is out when the token is revoked.
import type { ChildProcess } from 'node:child_process';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { findProgram } from '../../electron/platform/process.ts';
import { CHROMIUM_ARGS } from '../support/chromium.ts';
import type { Ebb } from '../support/ebb.ts';
import { startGateway } from '../support/gateway.ts';
import { ManagedEbb } from '../support/managed-ebb.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let managed: ManagedEbb;
let ebb: Ebb;
let gateway: ChildProcess;
let browser: Browser;
let page: Page;
let origin: string;

beforeAll(async () => {
  managed = await ManagedEbb.start();
  ({ ebb } = managed);
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
  await managed?.dispose();
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

it('the palette offers nothing that is refused, and says why; keys for it do nothing', async () => {
  await page.keyboard.press('Control+k');
  const typed = page.locator('.palette-input');
  const offered = page.locator('.palette-list [role=option]');
  const labels = async (text: string): Promise<string> => {
    await typed.fill(text);
    return (await offered.allTextContents()).join('|');
  };
  expect(await labels('dev')).toContain('Memory');
  expect(await labels('dev')).not.toMatch(/Start|Rename|Delete|Take/);
  expect(await labels('audit')).toBe('');
  await page.locator('.palette-none').filter({ hasText: 'nothing can be changed from here' }).waitFor();
  await clean();
  await page.keyboard.press('Escape');
  for (const key of ['Control+n', 'Control+s', 'Control+Enter']) await page.keyboard.press(key);
  // What comes after them is there, and nothing before it.
  await page.keyboard.press('Control+,');
  await page.getByRole('dialog').waitFor();
  expect(await page.getByRole('dialog').count()).toBe(1);
  expect(await page.locator('.error-stack').count()).toBe(0);
});

it('preferences of this computer are off with the reason, those of the window are not', async () => {
  const dialog = page.getByRole('dialog');
  const reserve = dialog.getByLabel(/Kept for this computer/);
  expect(await reserve.isDisabled()).toBe(true);
  expect(await reserve.getAttribute('aria-describedby')).toBe('role-reason');
  expect(await dialog.getByText('nothing can be changed from here').count()).toBe(1);
  expect(await dialog.getByRole('radio', { name: 'Dark' }).isDisabled()).toBe(false);
  await clean();
  await page.keyboard.press('Escape');
});

it('the audit and the console are off with the reason, also where the address leads there', async () => {
  const consoleTab = page.getByRole('tab', { name: 'Console' });
  expect(await consoleTab.getAttribute('aria-disabled')).toBe('true');
  expect(await consoleTab.getAttribute('aria-describedby')).toBe('role-reason');
  await page.goto(`${origin}/#/activity/audit`);
  await page.getByText('may not see this').waitFor();
  expect(await page.getByRole('tab', { name: 'Audit' }).getAttribute('aria-disabled')).toBe('true');
  await clean();
  await page.getByRole('tab', { name: 'Jobs' }).click();
  await page.getByText('may not see this').waitFor({ state: 'detached' });
  expect(await page.locator('.error-stack').count()).toBe(0);
});

it('when the token is revoked the window says so, by itself', async () => {
  const { tokens } = await ebb.call('headless.tokens', {});
  const tokenId = tokens[0]?.id;
  if (tokenId === undefined) throw new Error('no token');
  await ebb.call('headless.revoke-token', { tokenId });
  await page.getByText('its token was revoked').waitFor();
  await clean();
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

it('where a policy forbids browsers, a good token and a good link are refused in the words of the service', async () => {
  const { secret } = await ebb.call('headless.create-token', { name: 'cy', role: 'view' });
  const { token } = await ebb.call('headless.link', { role: 'view' });
  const told = page.locator('.sign-in [role=status]');
  await page.getByLabel('Token').fill(secret);
  await button('Sign in').click();
  await page.getByText('Signed in as cy').waitFor();
  await managed.apply({ 'headless.access': { value: false } });
  // The page that is open says it by itself; so does a link, and a token.
  await told.filter({ hasText: 'browsers may not use Ebb' }).waitFor();
  await page.context().clearCookies();
  await page.goto('about:blank');
  await page.goto(`${origin}/#token=${token}`);
  await told.filter({ hasText: 'browsers may not use Ebb' }).waitFor();
  await page.reload();
  await page.getByLabel('Token').fill(secret);
  expect(await told.textContent()).toBe('');
  await button('Sign in').click();
  await told.filter({ hasText: 'headless.access' }).waitFor();
  expect(await told.textContent()).not.toContain('is not one');
  await clean();
});
