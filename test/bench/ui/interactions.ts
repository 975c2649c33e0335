// What a person does in the window, and how long each took until it was painted: the browser's own event timing, by kind
// of interaction.
import type { Page } from 'playwright';
import type { FakeServer } from '../../support/fake-control.ts';

export type Interactions = ReadonlyMap<string, readonly number[]>;

declare global {
  interface Window {
    ebbTimings?: { id: number; ms: number }[];
  }
}

/** The browser tells durations in steps of 8 ms; below 16 ms it tells nothing, which counts as 16. */
const UNTOLD_MS = 16;

const watch = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const told: { id: number; ms: number }[] = [];
    window.ebbTimings = told;
    const observer = new PerformanceObserver(list => {
      for (const entry of list.getEntries()) {
        const { interactionId = 0, duration } = entry as PerformanceEntry & { interactionId?: number };
        if (interactionId > 0) told.push({ id: interactionId, ms: duration });
      }
    });
    observer.observe({ type: 'event', durationThreshold: 16, buffered: false } as PerformanceObserverInit);
  });

/** The longest event of what was just done, once it has been painted and told. */
const painted = (page: Page): Promise<number> =>
  page.evaluate(async untold => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(resolve => requestAnimationFrame(resolve));
    await new Promise(resolve => setTimeout(resolve, 30));
    const told = window.ebbTimings ?? [];
    const longest = Math.max(untold, ...told.map(({ ms }) => ms));
    told.length = 0;
    return longest;
  }, UNTOLD_MS);

export async function interact(page: Page, server: FakeServer, rounds: number): Promise<Interactions> {
  const felt = new Map<string, number[]>();
  const did = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    await act();
    felt.set(what, [...(felt.get(what) ?? []), await painted(page)]);
  };
  const side = page.locator('.side-list button');
  const tab = (name: string) => page.locator(`#tab-panel-${name}`);
  const vmId = server.control.world.vms[0]?.summary.spec.id ?? '';
  await side.first().waitFor();
  await watch(page);
  for (let round = 0; round < rounds; round += 1) {
    await did('overview', () => page.locator('.side-vm.place').click());
    for (const index of [3, 9, 1]) await did('choose a VM', () => side.nth(index).click());
    for (const name of ['memory', 'history', 'settings', 'summary'])
      await did(`tab ${name}`, () => tab(name).click());
    await page.evaluate(id => {
      window.location.hash = `#/vm/${id}/history`;
    }, vmId);
    const views = page.locator('.history-bar .segmented label');
    await views.first().waitFor();
    await did('5,000 points: table', () => views.last().click());
    await page.locator('.table-wrap.points').focus();
    for (const key of ['ArrowDown', 'PageDown', 'End', 'Home'])
      await did('5,000 points: key in the table', () => page.keyboard.press(key));
    await did('5,000 points: timeline', () => views.first().click());
    await page.locator('.timeline').focus();
    for (const key of ['ArrowLeft', 'ArrowLeft', 'Home', 'End', '+', '-'])
      await did('5,000 points: key in the timeline', () => page.keyboard.press(key));
    await did('palette', () => page.keyboard.press('Control+k'));
    await page.getByRole('dialog').waitFor();
    for (const key of ['s', 't', 'Backspace', 'v', 'm'])
      await did('palette: a letter', () => page.keyboard.press(key));
    await did('palette: away', () => page.keyboard.press('Escape'));
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  }
  return felt;
}
