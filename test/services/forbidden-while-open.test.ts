// What is open when IT forbids it ends within the policy's few seconds: screens and serial lines of browsers, points that are
// served, peeks; and nothing begins that a note in the data folder asks for.
import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { contract } from '../../shared/rpc/contract.ts';
import { waitFor } from '../support/ebb.ts';
import { deniedKey, ManagedEbb } from '../support/managed-ebb.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let managed: ManagedEbb;
let vmId: VmId;
let first: MomentId;
const call: ManagedEbb['ebb']['call'] = (...args) => managed.ebb.call(...args);

beforeAll(async () => {
  managed = await ManagedEbb.start();
  ({ vmId } = await managed.ebb.createSample('dev', { minMib: 64, maxMib: 128, diskMib: 16 }));
  first = (await call('moment.take', { vmId, name: 'first', note: '' })).id;
  await call('moment.take', { vmId, name: 'second', note: '' });
});
afterAll(() => managed?.dispose());

it('a going back that was noted by somebody else is not done where it is forbidden, and that is in the audit', async () => {
  await managed.apply({ 'history.goBack': { value: false } });
  const { moments } = await call('timeline.get', { vmId });
  const pointId = moments.find(({ id }) => id === first)?.points[0]?.pointId;
  const path = join(managed.folder, 'vms', vmId, 'going-back.json');
  const note = { momentId: first, pointId, keepName: 'kept', resume: false };
  writeFileSync(path, JSON.stringify({ ...note, orderId: randomUUID(), present: randomUUID() }));
  await call('moment.take', { vmId, name: 'third', note: '' });
  const after = await call('timeline.get', { vmId });
  const third = after.moments.find(({ name }) => name === 'third');
  expect(after.moments.find(({ id }) => id === third?.parentId)?.name).toBe('second');
  expect(existsSync(path)).toBe(false);
  const { entries } = await call('audit.list', { limit: 1, action: 'moment.go-back-finished' });
  expect(entries).toMatchObject([
    { via: 'service', outcome: 'denied', code: 'policy.denied', vmId, to: { momentId: first } },
  ]);
  await managed.lift();
});

it('a browser that may not see screens sees none of them, large, small, earlier or in letters; who is here does', async () => {
  await managed.apply({ 'headless.console': { value: false } });
  const browser = await managed.page();
  const pictures = Object.entries(contract.methods).flatMap(([name, { result }]) =>
    'png' in ((result as { shape?: object }).shape ?? {}) ? [name] : [],
  );
  expect(pictures.sort()).toEqual(['moment.screen', 'vm.screen', 'vm.thumbnail']);
  const momentId = first;
  for (const asked of [
    browser.call('vm.screen', { vmId }),
    browser.call('vm.thumbnail', { vmId }),
    browser.call('moment.screen', { vmId, momentId }),
    browser.call('console.open', { vmId }),
    browser.call('console.open', { vmId, of: 'serial' }),
    browser.call('console.send', { vmId, base64: '' }),
  ])
    expect(await deniedKey(asked)).toBe('headless.console');
  expect(await call('vm.thumbnail', { vmId })).toEqual({ png: null });
  expect(await call('moment.screen', { vmId, momentId })).toEqual({ png: null });
  browser.close();
  await managed.lift();
});

it('screens of browsers, points that are served, and peeks end when they are forbidden; the VM and who is here go on', async () => {
  await managed.ebb.done((await call('vm.start', { vmId })).taskId);
  const peek = await call('moment.peek', { vmId, momentId: first });
  await managed.ebb.done(peek.taskId);
  const browser = await managed.page();
  const ended: string[] = [];
  for (const topic of ['console', 'serial'] as const)
    browser.subscribe(topic, vmId, ({ end }) => void (end && ended.push(topic)));
  await browser.call('console.open', { vmId });
  await browser.call('console.open', { vmId, of: 'serial' });
  await call('console.open', { vmId, of: 'serial' });
  const { socketPath } = await call('moment.serve', { vmId, momentId: first });
  expect(existsSync(socketPath)).toBe(true);
  const toldPath = join(managed.folder, 'told.sock');
  const told = managed.cli('point', 'serve', 'dev', 'first', '--socket', toldPath);
  await waitFor('the other socket', () => existsSync(toldPath));
  const no = { value: false };
  await managed.apply({ 'headless.console': no, 'export.serve': no, 'history.goBack': no });
  await waitFor('both to end', () => ended.length === 2);
  await waitFor('the socket to go', () => !existsSync(socketPath));
  await waitFor('the peek to be gone', async () => (await call('vm.list', {})).vms.length === 1);
  expect(ended.sort()).toEqual(['console', 'serial']);
  // It ends by itself, and says why and by whom.
  const { exit, err } = await told;
  expect({ exit, err }).toEqual({ exit: 77, err: expect.stringMatching(/export\.serve: .*Lab IT/) });
  expect(await deniedKey(call('moment.peek', { vmId, momentId: first }))).toBe('history.goBack');
  await call('console.send', { vmId, of: 'serial', base64: '' });
  expect((await call('vm.get', { vmId })).state.phase).toBe('running');
  browser.close();
  await managed.ebb.stopVm(vmId);
});
