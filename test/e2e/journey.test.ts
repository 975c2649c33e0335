// Milestone C: the window in a real browser against real guests. The built page, the real gateway, control, storage and
// QEMU; nothing stands in. Screenshots go to test/artifacts.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { repositoryRoot } from '../../build/layers.ts';
import { findProgram } from '../../electron/platform/process.ts';
import type { VmId } from '../../shared/ids.ts';
import { complaintsOf } from '../support/complaints.ts';
import { type Agent, Ebb, waitFor } from '../support/ebb.ts';

const artifacts = join(repositoryRoot, 'test', 'artifacts');
/** A root in a container has no user namespace; a closed network is not to be knocked at. */
const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const MIB = 2 ** 20;

// Guests under TCG on a loaded machine: conditions are waited for, this only ends a hang.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

let ebb: Ebb;
let gateway: ChildProcess;
let browser: Browser;
let page: Page;
let agent: Agent;
let vmId: VmId;
let consoleErrors: string[] = [];

const shot = (name: string): Promise<unknown> => page.screenshot({ path: join(artifacts, `${name}.png`) });
async function clean(name: string): Promise<void> {
  await shot(name);
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(found => `${found.id}: ${found.nodes[0]?.html.slice(0, 120)}`)).toEqual([]);
}
const chip = (text: string) => page.locator('.head .chip').filter({ hasText: text });
const option = (name: string) => page.locator('.timeline [role=option]').filter({ hasText: name }).first();
const tab = (name: string) => page.getByRole('tab', { name }).click();

beforeAll(async () => {
  mkdirSync(artifacts, { recursive: true });
  ebb = await Ebb.start();
  const main = join(repositoryRoot, 'electron', 'shells', 'headless', 'main.ts');
  gateway = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, '--data', ebb.paths.dataFolder],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let printed = '';
  gateway.stdout?.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const url = await waitFor('the link', () => /http:\/\/\S+/.exec(printed)?.[0]);
  browser = await chromium.launch({ executablePath: findProgram('chromium') ?? '', args: CHROMIUM_ARGS });
  page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  page.setDefaultTimeout(30_000);
  consoleErrors = complaintsOf(page);
  await page.goto(url);
});
afterAll(async () => {
  await browser?.close();
  gateway?.kill();
  await ebb?.dispose();
});
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  const name = `failed-${task.name.slice(0, 40).replace(/\W+/g, '-')}`;
  for (const log of ['control.log', 'storage.log'])
    cpSync(join(ebb.paths.dataFolder, log), join(artifacts, `${name}-${log}`), { force: true });
  await shot(name);
});

/** The file is there, and the browser gets it whole. */
async function written(): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByText('It is written on the computer that runs Ebb:').waitFor();
  const path = (await dialog.locator('.path').textContent()) ?? '';
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: /^Download / }).click(),
  ]);
  expect(download.suggestedFilename()).toBe(basename(path));
  expect(readFileSync(await download.path()).equals(readFileSync(path))).toBe(true);
}

describe('a person and a VM', () => {
  it('creates it from the sample', async () => {
    await page.getByRole('button', { name: 'Try the sample VM' }).waitFor();
    await clean('1-empty');
    await page.getByRole('button', { name: 'Try the sample VM' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await clean('2-create');
    await dialog.getByRole('button', { name: 'Create VM' }).click();
    vmId = await waitFor('the VM', async () => (await ebb.call('vm.list', {})).vms[0]?.spec.id);
    await page.locator('.head h1').filter({ hasText: 'sample' }).waitFor();
  });

  it('starts it and sees its screen', async () => {
    // Opened before there is a screen: it comes when the VM does.
    await tab('Console');
    await page.locator('.head').getByRole('button', { name: 'Start' }).click();
    await chip('Running').waitFor();
    agent = await ebb.agent(vmId);
    await page.locator('canvas').waitFor();
    // The banner of the sample guest is drawn: the canvas is not one colour.
    await page.waitForFunction(() => {
      const canvas = document.querySelector('canvas');
      if (canvas === null || canvas.width === 0) return false;
      // A copy: the browser warns when a canvas that is drawn to is read often.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {
        willReadFrequently: true,
      });
      copy?.drawImage(canvas, 0, 0);
      const pixels = copy?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      return new Set(Array.from(pixels).slice(0, 400_000)).size > 3;
    });
    await clean('3-console');
  });

  it('moves a thumb: one command on release, and target and actual follow', async () => {
    await tab('Memory');
    await waitFor(
      'a balloon that obeys',
      async () => (await ebb.call('memory.show', { vmId })).balloon === 'obeying' || null,
    );
    const thumb = page.getByRole('slider', { name: /Maximum memory/ });
    await thumb.focus();
    const before = await ebb.call('memory.show', { vmId });
    for (let step = 0; step < 3; step++) await page.keyboard.press('ArrowLeft');
    const after = await waitFor('the new maximum, asked and obeyed', async () => {
      const memory = await ebb.call('memory.show', { vmId });
      return memory.maxKib < before.maxKib && (memory.actualKib ?? 0) <= memory.maxKib + 2048 ? memory : null;
    });
    expect(after.targetKib).toBeLessThanOrEqual(after.maxKib);
    await page.getByText('Why', { exact: true }).first().waitFor();
    await clean('4-memory');
  });

  it('tries a range, keeps it and takes it back; sees a trial of the command line, and ends it', async () => {
    const { minKib, maxKib } = await ebb.call('memory.show', { vmId });
    const strip = page.locator('.notice.trial');
    const most = (kib: number) =>
      waitFor(
        `a maximum of ${kib} KiB`,
        async () => (await ebb.call('memory.show', { vmId })).maxKib === kib || null,
      );
    await page.getByText('Try changes for 60 s').click();
    await page.getByRole('slider', { name: /Maximum memory/ }).focus();
    await page.keyboard.press('ArrowLeft');
    await strip.waitFor();
    await clean('4-trial');
    await page.reload();
    await strip.getByRole('button', { name: 'Keep' }).click();
    await strip.waitFor({ state: 'detached' });
    expect(await ebb.call('memory.range-undo', { vmId })).toEqual({
      before: { minKib, maxKib },
      trialEndsAt: null,
    });
    await page.keyboard.press('Control+z');
    await most(maxKib);
    await ebb.call('memory.try-range', { vmId, minKib, maxKib: maxKib - 64 * 1024, seconds: 600 });
    await strip.getByRole('button', { name: 'Go back now' }).click();
    await strip.waitFor({ state: 'detached' });
    await most(maxKib);
  });

  it('frees memory of this computer, says what that takes, and ends it', async () => {
    const isKept = async (): Promise<boolean> => (await ebb.call('memory.host', {})).freeUntil !== null;
    await page.getByRole('button', { name: 'Free memory…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await clean('4-free');
    await dialog.getByRole('button', { name: 'Free memory', exact: true }).click();
    await dialog.getByText('VMs do not use it before').waitFor();
    expect(await isKept()).toBe(true);
    await shot('4-free-answer');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByText('kept free until').waitFor();
    await page.getByRole('button', { name: 'End keeping memory free' }).click();
    await page.getByRole('button', { name: 'Free memory…' }).waitFor();
    expect(await isKept()).toBe(false);
  });

  it('takes points, and watches a reversal', async () => {
    await tab('History');
    await agent.call('write', { dev: '/dev/vda', offset: 0, length: 200 * MIB, seed: 1 });
    await take('first');
    await agent.call('scatter', { dev: '/dev/vda', offset: 0, span: 240 * MIB, bytes: 120 * MIB, seed: 2 });
    const seen: number[] = [];
    const stop = ebb.subscribe('timeline', vmId, ({ settle }) => {
      if (settle.reversal !== null) seen.push(settle.reversal.blocksDone);
    });
    await take('second');
    await shot('5-reversal');
    await ebb.settled(vmId);
    stop();
    expect(seen.length).toBeGreaterThan(0);
    await waitFor(
      'the root to be the second point',
      async () =>
        (await ebb.call('timeline.get', { vmId })).moments.find(moment => moment.name === 'second')?.points[0]
          ?.form === 'root' || null,
    );
    await option('second').waitFor();
    await clean('6-history');
  });

  it('goes back to the first point, and the present is kept', async () => {
    await option('first').click();
    await page.getByRole('button', { name: 'Go back here…' }).click();
    await page.getByRole('button', { name: 'Go back and keep today' }).click();
    await waitFor('Now on the first point', async () => {
      const timeline = await ebb.call('timeline.get', { vmId });
      return timeline.moments.find(moment => moment.id === timeline.nowParentId)?.name === 'first' || null;
    });
    await chip('Running').waitFor();
    await ebb.settled(vmId);
    await clean('7-gone-back');
  });

  it('looks at a point beside the present, and nothing of that is kept', async () => {
    await tab('History');
    await option('first').locator('.dot').click();
    await page.getByRole('button', { name: 'Peek', exact: true }).click();
    await chip('A look at “first”').waitFor();
    await page.locator('.console-screen canvas').waitFor();
    await chip('Running').waitFor();
    const peek = (await ebb.call('vm.list', {})).vms.find(({ spec }) => spec.peek !== null);
    if (peek === undefined) throw new Error('there is no look');
    const there = await ebb.agent(peek.spec.id);
    expect(await there.call('ping')).toBeDefined();
    await clean('journey-peek');
    expect((await ebb.state(vmId)).phase).toBe('running');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await waitFor('it to be gone', async () => (await ebb.call('vm.list', {})).vms.length === 1 || null);
    await page.locator('.timeline').waitFor();
  });

  it('exports a point, and makes a VM from it, while this one runs', async () => {
    await option('first').click();
    await page.getByRole('button', { name: 'More for this point' }).click();
    await page.getByRole('menuitem', { name: 'Export…' }).click();
    await clean('8-export');
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await written();
    await clean('8-exported');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('button', { name: 'More for this point' }).click();
    await page.getByRole('menuitem', { name: 'New VM…' }).click();
    await clean('8-clone');
    await dialog.getByRole('button', { name: 'Create' }).click();
    const twin = await waitFor('the new VM', async () => {
      const { vms } = await ebb.call('vm.list', {});
      return vms.find(({ spec }) => spec.name.endsWith(' copy')) ?? null;
    });
    await ebb.done((await ebb.call('vm.delete', { vmId: twin.spec.id })).taskId);
  });

  it('compares two points, makes an update of them, and checks the history', async () => {
    const { moments } = await ebb.call('timeline.get', { vmId });
    const [first = '', second = ''] = ['first', 'second'].map(
      name => moments.find(moment => moment.name === name)?.id ?? '',
    );
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'What has changed since?' }).click();
    await page.locator('.since .difference').waitFor();
    await page.getByRole('button', { name: 'Compare…' }).click();
    await dialog.getByLabel('With').selectOption(second);
    await dialog.getByText(/may differ, in/).waitFor();
    await clean('8-compare');
    await page.keyboard.press('Escape');
    await more('Make an update file…');
    await dialog.getByLabel('They have').selectOption(first);
    await dialog.getByLabel('They get').selectOption(second);
    await dialog.getByText(/The file takes about/).waitFor();
    await dialog.getByRole('button', { name: 'Make the file' }).click();
    await written();
    await page.keyboard.press('Escape');
    await more('Check the history…');
    await dialog.getByRole('button', { name: 'Check now' }).click();
    await dialog.getByText('Everything is whole').waitFor();
    await clean('8-check');
    await page.keyboard.press('Escape');
  });

  it('makes the disk larger while the VM runs', async () => {
    await tab('Settings');
    await page.getByRole('button', { name: 'Make larger…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('New size').fill('2');
    await clean('8-grow');
    await page.keyboard.press('Enter');
    await dialog.getByText('Disk 1 holds 2 GiB now.').waitFor();
    const { spec } = await ebb.call('vm.get', { vmId });
    expect(spec.disks[0]?.virtualBytes).toBeGreaterThanOrEqual(2048 * MIB);
    await page.keyboard.press('Escape');
    await tab('History');
  });

  it('deletes a point nothing hangs off, and is told what that frees', async () => {
    const { moments } = await ebb.call('timeline.get', { vmId });
    const free = moments.find(moment => moment.freesBytes !== null);
    expect(free).toBeDefined();
    await option(free?.name ?? '').click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    await clean('8-delete');
    await page.getByRole('button', { name: 'Move to trash' }).click();
    await waitFor('the point to be in the trash', async () => {
      const { moments: left, trash } = await ebb.call('timeline.get', { vmId });
      return (left.every(({ id }) => id !== free?.id) && trash.some(({ id }) => id === free?.id)) || null;
    });
    await page.getByText('Trash: 1 point').click();
    await page.getByRole('button', { name: 'Empty trash…' }).click();
    await clean('9-trash');
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await waitFor(
      'the trash to be empty',
      async () => (await ebb.call('timeline.get', { vmId })).trash.length === 0 || null,
    );
  });

  it('shows the same in the dark, in the light, and small', async () => {
    for (const scheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await tab('Memory');
      await clean(`9-memory-${scheme}`);
    }
    await page.setViewportSize({ width: 900, height: 600 });
    await clean('10-memory-small');
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(sideways).toBe(false);
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('left no error in the console', () => {
    expect(consoleErrors).toEqual([]);
  });

  it('rebuilds a timeline that is lost', async () => {
    await tab('History');
    await ebb.stopVm(vmId);
    const { dataFolder } = ebb.paths;
    const database = join(dataFolder, 'vms', vmId, 'timeline.db');
    renameSync(database, `${database}.away`);
    await ebb.quit();
    ebb = await Ebb.start(dataFolder);
    await page.getByRole('heading', { name: 'The timeline of this VM is lost' }).waitFor();
    await clean('11-lost');
    await page.getByRole('button', { name: 'Rebuild from the images' }).click();
    await page.getByText('The timeline is there again').waitFor();
    await option('first').waitFor();
    await clean('12-rescued');
  });
});

const more = async (item: string): Promise<void> => {
  await page.getByRole('button', { name: 'More about the history' }).click();
  await page.getByRole('menuitem', { name: item }).click();
};

async function take(name: string): Promise<void> {
  await page.getByRole('button', { name: 'Take point' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox').first().fill(name);
  await dialog.getByRole('button', { name: 'Take point' }).click();
  await waitFor(
    `point ${name}`,
    async () =>
      (await ebb.call('timeline.get', { vmId })).moments.some(moment => moment.name === name) || null,
  );
}
