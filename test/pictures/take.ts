// Takes the pictures: every scene in both themes and both languages, each looked over by axe (in English: it reads the
// form, not the words), and one contact sheet per world, theme and language to look at them by.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright';
import { en } from '../../renderer/i18n/en.ts';
import { zhCn } from '../../renderer/i18n/zh-cn.ts';
import { launchChromium } from '../support/chromium.ts';
import { type FakeServer, startFakeControl } from '../support/fake-control.ts';
import { SCENES, type Scene, type WorldName } from './scenes.ts';

const LOOKS = [
  { theme: 'light', locale: 'en-US', text: en },
  { theme: 'dark', locale: 'en-US', text: en },
  { theme: 'light', locale: 'zh-CN', text: zhCn },
  { theme: 'dark', locale: 'zh-CN', text: zhCn },
] as const;
type Look = (typeof LOOKS)[number];

const USUAL = { width: 1280, height: 800 };
const SHEET = { columns: 4, width: 2000 };

export interface PictureOptions {
  readonly folder: string;
  readonly only: RegExp | null;
  readonly isAxed: boolean;
  readonly say: (line: string) => void;
}

const isShownIn = (scene: Scene, look: Look): boolean =>
  scene.isBrief !== true || (look.theme === 'light') === (look.locale === 'en-US');

const fileName = (scene: Scene, look: Look): string =>
  `${scene.world}-${scene.name}-${look.theme}-${look.locale.slice(0, 2)}`;

const hashOf = ({ place }: Scene, server: FakeServer): string =>
  place === 'overview'
    ? '#/'
    : 'help' in place
      ? `#/help/${place.help}`
      : `#/vm/${server.control.world.vms[place.vm]?.summary.spec.id ?? '00000000-0000-4000-8000-ffffffffffff'}/${place.tab}`;

/** Two frames after the fonts are there, nothing of a first drawing is left to come. */
const settled = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 3; frame += 1) await new Promise(resolve => requestAnimationFrame(resolve));
  });

async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map(found => `axe ${found.id}: ${found.nodes[0]?.html.slice(0, 160) ?? ''}`);
}

/** A window has no sideways scroll bar of its own, whatever it shows. */
async function isTooWide(page: Page): Promise<string[]> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  return over > 0 ? [`the page is ${over} px too wide`] : [];
}

/** One page per world and look: pictures follow each other within it, and what a scene pressed is gone with a reload. */
async function openPage(context: BrowserContext, found: string[]): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('pageerror', error => found.push(`page error: ${error.message}`));
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().includes('ERR_INTERNET_DISCONNECTED'))
      found.push(`console: ${message.text()}`);
  });
  page.on('dialog', dialog => {
    found.push(`a script ran: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

async function show(scene: Scene, look: Look, page: Page, server: FakeServer): Promise<void> {
  const { width, height } = scene.size ?? USUAL;
  await page.setViewportSize({ width, height });
  const address = `${server.url}${hashOf(scene, server)}`;
  await page.goto(address);
  await page.locator('.main .head, .main .empty-page, .main .help article').first().waitFor();
  await scene.steps?.({ page, text: look.text, server });
  await settled(page);
}

async function takeOne(scene: Scene, look: Look, page: Page, server: FakeServer, options: PictureOptions) {
  const found: string[] = [];
  try {
    await show(scene, look, page, server);
    found.push(...(await isTooWide(page)));
    if (options.isAxed && look.locale === 'en-US' && scene.size === undefined)
      found.push(...(await findings(page)));
  } catch (error) {
    found.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
  const file = join(options.folder, `${fileName(scene, look)}.png`);
  await capture(page, file);
  return { file, found };
}

const CAPTURES_MAX = 4;

/** Chromium without a screen sometimes has no frame to give, on a busy machine: the next one it has. */
async function capture(page: Page, path: string, attempt = 1): Promise<void> {
  try {
    await page.screenshot({ path, animations: 'disabled' });
  } catch (error) {
    if (attempt === CAPTURES_MAX) throw error;
    await capture(page, path, attempt + 1);
  }
}

async function contactSheet(
  browser: Browser,
  title: string,
  files: readonly string[],
  folder: string,
): Promise<void> {
  const page = await browser.newPage({ viewport: { width: SHEET.width, height: 600 } });
  const figures = files.map(file => {
    const data = readFileSync(file).toString('base64');
    const name = file.slice(folder.length + 1, -4);
    return `<figure><img src="data:image/png;base64,${data}"><figcaption>${name}</figcaption></figure>`;
  });
  await page.setContent(
    `<style>body{margin:8px;font:13px sans-serif;display:grid;gap:8px;grid-template-columns:repeat(${SHEET.columns},1fr)}figure{margin:0}img{width:100%;border:1px solid #888}</style>${figures.join('')}`,
  );
  await page.screenshot({ path: join(folder, `sheet-${title}.png`), fullPage: true });
  await page.close();
}

/** The scenes of one world in one look and one density of pixels. */
async function takeLook(
  scenes: readonly Scene[],
  look: Look,
  browser: Browser,
  options: PictureOptions,
): Promise<{ files: string[]; found: string[] }> {
  const files: string[] = [];
  const found: string[] = [];
  const [first] = scenes;
  if (first === undefined) return { files, found };
  const server = await startFakeControl(first.world, 0, 0);
  const context = await browser.newContext({
    colorScheme: look.theme,
    locale: look.locale,
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    deviceScaleFactor: first.size?.scale ?? 1,
  });
  const heard: string[] = [];
  let page = await openPage(context, heard);
  for (const scene of scenes) {
    const taken = await takeOne(scene, look, page, server, options);
    files.push(taken.file);
    found.push(...[...taken.found, ...heard.splice(0)].map(line => `${fileName(scene, look)}: ${line}`));
    if (scene.steps === undefined) continue;
    await page.close();
    await context.setOffline(false);
    page = await openPage(context, heard);
  }
  await context.close();
  server.close();
  return { files, found };
}

async function takeWorld(world: WorldName, browser: Browser, options: PictureOptions): Promise<string[]> {
  const found: string[] = [];
  for (const look of LOOKS) {
    const wanted = SCENES.filter(
      scene =>
        scene.world === world &&
        isShownIn(scene, look) &&
        (options.only === null || options.only.test(fileName(scene, look))),
    );
    if (wanted.length === 0) continue;
    const files: string[] = [];
    for (const scale of [1, 2]) {
      const scenes = wanted.filter(scene => (scene.size?.scale ?? 1) === scale);
      const taken = await takeLook(scenes, look, browser, options);
      files.push(...taken.files);
      found.push(...taken.found);
    }
    await contactSheet(browser, `${world}-${look.theme}-${look.locale.slice(0, 2)}`, files, options.folder);
    options.say(`${world}, ${look.theme}, ${look.locale}: ${files.length} pictures`);
  }
  return found;
}

/** Answers what is wrong with them: nothing that a machine can see, or one line each. */
export async function takePictures(options: PictureOptions): Promise<string[]> {
  if (options.only === null) rmSync(options.folder, { recursive: true, force: true });
  mkdirSync(options.folder, { recursive: true });
  const browser = await launchChromium();
  const found: string[] = [];
  try {
    for (const world of ['empty', 'full', 'crowded', 'troubled', 'slow', 'hostile', 'managed'] as const)
      found.push(...(await takeWorld(world, browser, options)));
  } finally {
    await browser.close();
  }
  return found;
}
