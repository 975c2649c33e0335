// A hundred browsers at once, through the real gateway: each is served, and the memory of VMs is looked after meanwhile. Counted in
// ticks and answers; no time decides.
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ROLES } from '../../shared/roles.ts';
import type { Client } from '../../shared/rpc/client.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import { Ebb, pause, waitFor } from '../support/ebb.ts';
import { startGateway } from '../support/gateway.ts';
import { openPage, type SignedIn, signInTo } from '../support/web-clients.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const CLIENTS = 100;
const PEOPLE = 10;
/** The loop plans once a second where nothing happens. */
const TICKS = 8;
let ebb: Ebb;
let gateway: ChildProcess;
let origin: string;
const pages: Client<Contract>[] = [];

beforeAll(async () => {
  ebb = await Ebb.start();
  await ebb.createSample('one', { minMib: 64, maxMib: 128, diskMib: 16 });
  const started = await startGateway(ebb.paths.dataFolder);
  gateway = started.gateway;
  origin = new URL(started.url).origin;
});
afterAll(async () => {
  for (const page of pages) page.close();
  gateway?.kill();
  await ebb?.dispose();
});

it(`${CLIENTS} clients of ${PEOPLE} people are held while the memory loop goes on planning`, async () => {
  const people: SignedIn[] = [];
  for (let n = 0; n < PEOPLE; n++) {
    const role = ROLES[n % ROLES.length] ?? 'view';
    const { secret } = await ebb.call('headless.create-token', { name: `person ${n}`, role });
    people.push(await signInTo(origin, secret));
  }
  for (let n = 0; n < CLIENTS; n++) pages.push(await openPage(people[n % PEOPLE] as SignedIn));
  const sessions = await waitFor('all to be here', async () => {
    const found = (await ebb.call('headless.sessions', {})).sessions;
    return found.reduce((sum, { connections }) => sum + connections, 0) === CLIENTS && found;
  });
  expect(sessions).toHaveLength(PEOPLE);

  // Each follows what a window follows, and asks on and on.
  const heard = pages.map(() => 0);
  for (const [index, page] of pages.entries())
    for (const topic of ['vms', 'host', 'tasks'] as const)
      page.subscribe(topic, null, () => {
        heard[index] = (heard[index] ?? 0) + 1;
      });
  let isOver = false;
  const answered = pages.map(() => 0);
  const asking = pages.map(async (page, index) => {
    for (let n = 0; n === 0 || !isOver; n++) {
      await page.call('vm.list', {});
      await page.call('memory.host', {});
      answered[index] = (answered[index] ?? 0) + 2;
      // Ten of them have one session, and that its pace: twice as often as windows ask is well within it.
      await pause(100);
    }
  });
  const ages: number[] = [];
  for (let tick = 0; tick < TICKS; ) {
    const { planAgeMs } = await ebb.call('memory.host', {});
    // A younger plan than before is another plan.
    if (ages.length > 0 && planAgeMs < (ages.at(-1) ?? 0)) tick++;
    ages.push(planAgeMs);
  }
  // Before they are waited for: nobody was kept waiting by the others.
  const served = [...answered];
  isOver = true;
  await Promise.all(asking);
  const oldest = Math.max(...ages);
  console.log(
    `${served.reduce((sum, count) => sum + count, 0)} answers to ${CLIENTS} clients in ${TICKS} plans; the oldest plan seen was ${Math.round(oldest)} ms old`,
  );
  expect(Math.min(...served)).toBeGreaterThanOrEqual(2);
  expect(Math.min(...heard)).toBeGreaterThanOrEqual(3);
  const { sessions: after } = await ebb.call('headless.sessions', {});
  expect(after.reduce((sum, { connections }) => sum + connections, 0)).toBe(CLIENTS);
});

it('more than a session may have open are refused, and those it has stay', async () => {
  const { secret } = await ebb.call('headless.create-token', { name: 'greedy', role: 'view' });
  const greedy = await signInTo(origin, secret);
  const mine: Client<Contract>[] = [];
  for (let n = 0; n < 16; n++) mine.push(await openPage(greedy));
  await expect(openPage(greedy)).rejects.toThrow();
  for (const page of mine) expect((await page.call('app.info', {})).user).toBe('greedy');
  for (const page of mine) page.close();
});
