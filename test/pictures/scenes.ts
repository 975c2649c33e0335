// What is photographed: every screen in every world it exists in, and every state a person may meet. A scene goes from
// a fresh page to what it shows by what a person would press; it changes nothing in its world.

import type { Page } from 'playwright';
import type { HelpPage } from '../../renderer/help/pages.ts';
import type { Dictionary } from '../../renderer/i18n/en.ts';
import type { FakeServer } from '../support/fake-control.ts';

export type WorldName = 'empty' | 'full' | 'crowded' | 'troubled' | 'hostile' | 'slow' | 'managed';
export interface Stage {
  readonly page: Page;
  readonly text: Dictionary;
  readonly server: FakeServer;
}
export interface Scene {
  readonly name: string;
  readonly world: WorldName;
  /** In the address, after `#/`; a VM by its place in the world. */
  readonly place: { readonly vm: number; readonly tab: string } | { readonly help: HelpPage } | 'overview';
  readonly steps?: (stage: Stage) => Promise<unknown>;
  /** Not the usual 1280 × 800. */
  readonly size?: { readonly width: number; readonly height: number; readonly scale?: number };
  /** Only in light English and dark Chinese: what it shows is in its form. */
  readonly isBrief?: boolean;
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).first().click();
const item = (page: Page, name: string) => page.getByRole('menuitem', { name, exact: true }).click();
const dialogOpen = (page: Page) => page.getByRole('dialog').waitFor();
const choose = (page: Page, name: string) =>
  page.locator('.timeline [role=option]').filter({ hasText: name }).first().locator('.dot').click();

async function historyVerb({ page, text }: Stage, verb: string): Promise<void> {
  await press(page, text.historyMenu.label);
  await item(page, verb);
  await dialogOpen(page);
}

const verbOnPoint =
  (verb: (text: Dictionary) => string) =>
  async ({ page, text }: Stage): Promise<void> => {
    await choose(page, 'before update');
    await press(page, verb(text));
    await dialogOpen(page);
  };
const rareVerbOn =
  (point: string, verb: (text: Dictionary) => string) =>
  async ({ page, text }: Stage): Promise<void> => {
    await choose(page, point);
    await press(page, text.history.more);
    await item(page, verb(text));
    await dialogOpen(page);
  };
const rareVerbOnPoint = (verb: (text: Dictionary) => string) => rareVerbOn('before update', verb);
const vmVerb =
  (verb: (text: Dictionary) => string) =>
  async ({ page, text }: Stage): Promise<void> => {
    await press(page, text.vm.more);
    await item(page, verb(text));
    await dialogOpen(page);
  };
const dialogByButton =
  (name: (text: Dictionary) => string) =>
  async ({ page, text }: Stage): Promise<void> => {
    await press(page, name(text));
    await dialogOpen(page);
  };
const palette =
  (typed: string) =>
  async ({ page }: Stage): Promise<void> => {
    await page.keyboard.press('Control+k');
    await dialogOpen(page);
    await page.keyboard.type(typed);
  };

async function deleted(stage: Stage): Promise<void> {
  await vmVerb(text => text.vm.delete)(stage);
  await press(stage.page, stage.text.vm.deleteVerb);
  await stage.page.getByRole('button', { name: stage.text.vm.trash.undo, exact: true }).waitFor();
}

const settings = dialogByButton(text => text.side.settings);
const doctor = async (stage: Stage): Promise<void> => {
  await dialogByButton(text => text.overview.doctor)(stage);
  await stage.page.locator('.checks, .doctor, .check-row').first().waitFor();
};
const create = dialogByButton(text => text.side.newVm);
const free = async ({ page, text }: Stage): Promise<void> => {
  await page.keyboard.press('Control+k');
  await dialogOpen(page);
  await page.keyboard.type(text.free.action);
  await page.keyboard.press('Enter');
  await page.locator('.modal:not(.palette)').waitFor();
};

const tab = (vm: number, name: string) => ({ vm, tab: name });
const HISTORY = tab(0, 'history');

/** The screens that exist in a world with VMs. */
const screensOf = (world: WorldName): Scene[] => [
  { name: 'overview', world, place: 'overview' },
  { name: 'summary', world, place: tab(0, 'summary') },
  { name: 'summary-off', world, place: tab(5, 'summary') },
  { name: 'console', world, place: tab(0, 'console') },
  {
    name: 'serial',
    world,
    place: tab(0, 'console'),
    steps: async ({ page, text }) => {
      await page.getByText(text.console.whichSerial, { exact: true }).click();
      await page.locator('.xterm-rows').filter({ hasText: 'login:' }).waitFor();
      await page.locator('.console-host').click();
    },
    isBrief: true,
  },
  { name: 'console-off', world, place: tab(2, 'console') },
  { name: 'memory', world, place: tab(0, 'memory') },
  {
    name: 'memory-day',
    world,
    place: tab(0, 'memory'),
    steps: async ({ page, text }) => {
      await page.getByText(text.memory.spans.day, { exact: true }).click();
      const chart = await page.locator('.chart').boundingBox();
      // A tick, wherever the last entry drew one.
      for (
        let x = (chart?.width ?? 0) - 22;
        x > 80 && (await page.locator('.tick-sentence').count()) === 0;
        x -= 6
      )
        await page.locator('.chart').click({ position: { x, y: 60 } });
    },
    isBrief: true,
  },
  { name: 'memory-off', world, place: tab(3, 'memory') },
  { name: 'history', world, place: HISTORY },
  {
    name: 'history-table',
    world,
    place: HISTORY,
    steps: ({ page, text }) => page.getByText(text.history.asTable, { exact: true }).click(),
  },
  {
    name: 'history-second',
    world,
    place: tab(1, 'history'),
    steps: ({ page, text }) => page.getByText(text.history.asTimeline, { exact: true }).click(),
  },
  { name: 'settings-vm', world, place: tab(0, 'settings') },
  { name: 'create', world, place: 'overview', steps: create },
  { name: 'preferences', world, place: 'overview', steps: settings },
  { name: 'doctor', world, place: 'overview', steps: doctor },
  { name: 'palette', world, place: 'overview', steps: palette('') },
  { name: 'free', world, place: 'overview', steps: free },
];

const dialogs: Scene[] = [
  { name: 'point', world: 'full', place: HISTORY, steps: ({ page }) => choose(page, 'before update') },
  {
    name: 'point-since',
    world: 'full',
    place: HISTORY,
    steps: async ({ page, text }) => {
      await choose(page, 'before update');
      await press(page, text.compare.since);
      await page.locator('.since .heat').waitFor();
    },
  },
  {
    name: 'take',
    world: 'full',
    place: HISTORY,
    steps: stage => dialogByButton(text => text.history.take)(stage),
  },
  { name: 'go-back', world: 'full', place: HISTORY, steps: verbOnPoint(text => text.history.goBack) },
  { name: 'delete-point', world: 'full', place: HISTORY, steps: verbOnPoint(text => text.history.delete) },
  { name: 'rename-point', world: 'full', place: HISTORY, steps: verbOnPoint(text => text.history.rename) },
  { name: 'clone', world: 'full', place: HISTORY, steps: rareVerbOnPoint(text => text.history.clone) },
  { name: 'files', world: 'full', place: HISTORY, steps: rareVerbOnPoint(text => text.files.verb) },
  {
    name: 'files-chosen',
    world: 'full',
    place: HISTORY,
    steps: async stage => {
      await rareVerbOnPoint(text => text.files.verb)(stage);
      for (const name of ['home', 'ann']) await press(stage.page, name);
      await stage.page.getByText('photo.jpg').click();
    },
  },
  {
    name: 'files-none',
    world: 'full',
    place: HISTORY,
    steps: rareVerbOn('clean install', text => text.files.verb),
  },
  {
    name: 'files-missing',
    world: 'full',
    place: HISTORY,
    steps: rareVerbOn('Imported', text => text.files.verb),
  },
  { name: 'export', world: 'full', place: HISTORY, steps: rareVerbOnPoint(text => text.history.export) },
  {
    name: 'compare',
    world: 'full',
    place: HISTORY,
    steps: async stage => {
      await verbOnPoint(text => text.compare.verb)(stage);
      await stage.page.locator('.dialog .heat').waitFor();
    },
  },
  {
    name: 'check',
    world: 'full',
    place: HISTORY,
    steps: stage => historyVerb(stage, stage.text.historyMenu.check),
  },
  {
    name: 'compact',
    world: 'full',
    place: HISTORY,
    steps: stage => historyVerb(stage, stage.text.historyMenu.compact),
  },
  {
    name: 'export-update',
    world: 'full',
    place: HISTORY,
    steps: stage => historyVerb(stage, stage.text.historyMenu.exportUpdate),
  },
  {
    name: 'import-update',
    world: 'full',
    place: HISTORY,
    steps: stage => historyVerb(stage, stage.text.historyMenu.importUpdate),
  },
  {
    name: 'history-menu',
    world: 'full',
    place: HISTORY,
    steps: ({ page, text }) => press(page, text.historyMenu.label),
  },
  { name: 'lost', world: 'full', place: tab(5, 'history') },
  { name: 'force', world: 'full', place: tab(0, 'summary'), steps: vmVerb(text => text.vm.force) },
  { name: 'rename-vm', world: 'full', place: tab(0, 'summary'), steps: vmVerb(text => text.vm.rename) },
  { name: 'delete-vm', world: 'full', place: tab(5, 'summary'), steps: vmVerb(text => text.vm.delete) },
  { name: 'deleted-vm', world: 'full', place: tab(5, 'summary'), steps: deleted },
  {
    name: 'deleted-vms',
    world: 'full',
    place: tab(5, 'summary'),
    steps: async stage => {
      await deleted(stage);
      await stage.page.evaluate(() => location.assign('#/'));
      await stage.page.getByRole('heading', { name: stage.text.vm.trash.title }).scrollIntoViewIfNeeded();
    },
  },
  {
    name: 'preview-start',
    world: 'full',
    place: tab(6, 'summary'),
    steps: dialogByButton(text => text.vm.start),
  },
  {
    name: 'grow',
    world: 'full',
    place: tab(0, 'settings'),
    steps: async ({ page }) => {
      await page.locator('.tab-panel button').filter({ hasText: '…' }).first().click();
      await dialogOpen(page);
    },
  },
  { name: 'drive', world: 'full', place: tab(4, 'settings') },
  {
    name: 'drive-insert',
    world: 'full',
    place: tab(4, 'settings'),
    steps: async ({ page, text }) => {
      await press(page, text.setup.drive.insert);
      await dialogOpen(page);
    },
  },
  { name: 'palette-words', world: 'full', place: HISTORY, steps: palette('de') },
  { name: 'palette-none', world: 'full', place: 'overview', steps: palette('qqq') },
  {
    name: 'error-card',
    world: 'full',
    place: HISTORY,
    steps: async ({ page, text }) => {
      await choose(page, 'before update');
      await page.locator('.timeline').focus();
      await page.keyboard.press('Delete');
      await dialogOpen(page);
      await press(page, text.history.deleteVerb);
      await page.locator('.error-stack').waitFor();
    },
  },
];

const states: Scene[] = [
  { name: 'overview', world: 'troubled', place: 'overview' },
  { name: 'summary', world: 'troubled', place: tab(0, 'summary') },
  { name: 'memory', world: 'troubled', place: tab(2, 'memory') },
  { name: 'memory-no-driver', world: 'troubled', place: tab(7, 'memory') },
  { name: 'history-blocked', world: 'troubled', place: HISTORY },
  { name: 'history-held', world: 'troubled', place: tab(2, 'history') },
  {
    name: 'history-held-schedule',
    world: 'troubled',
    place: tab(2, 'history'),
    steps: dialogByButton(text => text.automatic.setUp),
  },
  { name: 'history-poisoned', world: 'troubled', place: tab(1, 'history') },
  { name: 'failed', world: 'troubled', place: tab(4, 'summary') },
  { name: 'died', world: 'troubled', place: tab(3, 'summary') },
  { name: 'overview', world: 'slow', place: 'overview', isBrief: true },
  { name: 'summary', world: 'slow', place: tab(0, 'summary'), isBrief: true },
  { name: 'overview', world: 'hostile', place: 'overview' },
  { name: 'summary', world: 'hostile', place: tab(1, 'summary') },
  { name: 'history', world: 'hostile', place: HISTORY },
  {
    name: 'point',
    world: 'hostile',
    place: HISTORY,
    steps: async ({ page }) => {
      await page.locator('.timeline').focus();
      for (let index = 0; index < 4; index += 1) await page.keyboard.press('ArrowLeft');
      await page.locator('.point-card textarea').waitFor();
    },
  },
  ...screensOf('managed').filter(({ name }) => ['overview', 'memory', 'settings-vm'].includes(name)),
  {
    name: 'managed',
    world: 'managed',
    place: 'overview',
    steps: async stage => {
      await settings(stage);
      await press(stage.page, stage.text.policy.open);
      await stage.page.locator('.policy-files').first().waitFor();
    },
  },
  {
    name: 'schedule',
    world: 'managed',
    place: HISTORY,
    steps: dialogByButton(text => text.automatic.change),
  },
  { name: 'help-policy', world: 'full', place: { help: 'policy' }, isBrief: true },
  { name: 'help-guide', world: 'full', place: { help: 'guide' }, isBrief: true },
  { name: 'gone-vm', world: 'empty', place: tab(99, 'summary') },
  {
    name: 'disconnected',
    world: 'full',
    place: 'overview',
    steps: async ({ page, server }) => {
      await page.context().setOffline(true);
      await page.routeWebSocket(/rpc/, socket => void socket.close());
      server.drop();
      await page.locator('.banner').waitFor();
    },
  },
];

const SIZES = [
  { name: 'small', size: { width: 900, height: 600 } },
  { name: 'ultrawide', size: { width: 3440, height: 1000 } },
  { name: 'zoomed', size: { width: 640, height: 400, scale: 2 } },
] as const;
const sized: Scene[] = SIZES.flatMap(({ name, size }) =>
  [
    ...screensOf('full').filter(scene => !scene.name.endsWith('-off')),
    ...dialogs.filter(scene => ['compare', 'go-back', 'point', 'clone'].includes(scene.name)),
    ...screensOf('crowded').filter(scene => ['overview', 'history', 'memory'].includes(scene.name)),
  ].map(scene => ({ ...scene, name: `${scene.name}-${name}`, size, isBrief: true })),
);

const empty: Scene[] = screensOf('empty').filter(
  ({ place, name }) => place === 'overview' && !['doctor'].includes(name),
);

export const SCENES: readonly Scene[] = [
  ...empty,
  ...screensOf('full'),
  { name: 'summary-silent', world: 'full', place: tab(7, 'summary'), isBrief: true },
  ...screensOf('crowded'),
  ...dialogs,
  ...states,
  ...sized,
];
