// A deleted VM is taken back from the trash, with its points and settings, whenever control dies on the way. No guest runs.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VmId } from '../../shared/ids.ts';
import { Ebb, waitFor } from '../support/ebb.ts';

// Services are started again and again: on a loaded machine that takes seconds. This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let ebb: Ebb;
let vmId: VmId;

const at = (...names: string[]): string => join(ebb.paths.dataFolder, ...names);
const inTrash = (id: VmId): string[] =>
  existsSync(at('trash')) ? readdirSync(at('trash')).filter(name => name.startsWith(id)) : [];
const deleteVm = async (id: VmId): Promise<void> => {
  await ebb.done((await ebb.call('vm.delete', { vmId: id })).taskId);
};
const names = async (): Promise<string[]> =>
  (await ebb.call('vm.list', {})).vms.map(({ spec }) => spec.name).sort();
const trashed = async (): Promise<string[]> => (await ebb.call('vm.trashed', {})).vms.map(({ name }) => name);
/** All that a person would miss. */
const whole = async (id: VmId) => {
  const { moments } = await ebb.call('timeline.get', { vmId: id });
  return {
    spec: (await ebb.call('vm.get', { vmId: id })).spec,
    points: moments.map(({ name, note, pinned, points }) => ({ name, note, pinned, points })),
    schedule: (await ebb.call('history.show', { vmId: id })).schedule,
  };
};
/** As a control that died in the middle of taking it back leaves the catalog. */
const putRow = (spec: { readonly id: VmId }): void => {
  const db = new Database(at('catalog.db'));
  db.prepare('INSERT INTO vm (id, body) VALUES (?, ?)').run(spec.id, JSON.stringify(spec));
  db.close();
};

beforeAll(async () => {
  ebb = await Ebb.start();
  vmId = (await ebb.createSample('kept')).vmId;
  await ebb.call('moment.take', { vmId, name: 'one', note: 'a note' });
  await ebb.call('moment.take', { vmId, name: 'two', note: '' });
  const change = { cpus: 2, group: 'work', notes: 'mine', portForwards: [] };
  await ebb.call('vm.configure', { vmId, change });
  const { schedule } = await ebb.call('history.show', { vmId });
  await ebb.call('history.set', { vmId, schedule: { ...schedule, isOn: true, everyMinutes: 120 } });
  await ebb.settled(vmId);
});
afterAll(() => ebb?.dispose());

describe('a deleted VM', () => {
  it('is listed with the day it goes for good, and taken back as it was', async () => {
    const before = await whole(vmId);
    expect(await trashed()).toEqual([]);
    await deleteVm(vmId);
    const [row, ...more] = (await ebb.call('vm.trashed', {})).vms;
    expect(more).toEqual([]);
    expect(row).toMatchObject({ vmId, name: 'kept' });
    expect((row?.goesAt ?? 0) - (row?.deletedAt ?? 0)).toBe(7 * 24 * 3_600_000);
    expect(await names()).toEqual([]);

    expect(await ebb.call('vm.restore', { vmId })).toEqual({ name: 'kept' });
    expect(await whole(vmId)).toEqual(before);
    expect([await trashed(), inTrash(vmId)]).toEqual([[], []]);
    await expect(ebb.call('vm.restore', { vmId })).rejects.toMatchObject({ body: { code: 'vm.not-found' } });
    const [record] = (await ebb.call('audit.list', { limit: 1, vmId })).entries;
    expect(record).toMatchObject({ action: 'vm.restore', outcome: 'refused' });
  });

  it('whose name another VM has by now gets a number, and no VM is lost', async () => {
    await deleteVm(vmId);
    const other = await ebb.createSample('Kept');
    expect(await ebb.call('vm.restore', { vmId })).toEqual({ name: 'kept 2' });
    expect(await names()).toEqual(['Kept', 'kept 2']);
    await deleteVm(other.vmId);
    await ebb.call('vm.rename', { vmId, name: 'kept' });
    rmSync(at('trash', inTrash(other.vmId)[0] ?? 'none'), { recursive: true });
  });

  it('is not offered where its folder is not whole, or tells nothing; what is there stays', async () => {
    await deleteVm(vmId);
    const [name = ''] = inTrash(vmId);
    const file = at('trash', name, 'vm.json');
    const text = readFileSync(file, 'utf8');
    for (const bad of [
      '',
      '{}',
      text.replace('"version":1', '"version":2'),
      text.replace(/"cpus":\d+/, '"cpus":0'),
    ]) {
      writeFileSync(file, bad);
      expect(await trashed(), bad.slice(0, 30)).toEqual([]);
    }
    writeFileSync(file, text);
    writeFileSync(at('trash', name, '.making'), '{}');
    await expect(ebb.call('vm.restore', { vmId })).rejects.toMatchObject({ body: { code: 'vm.not-found' } });
    rmSync(at('trash', name, '.making'));
    // Somebody's folder in its place is not written over.
    mkdirSync(at('vms', vmId));
    await expect(ebb.call('vm.restore', { vmId })).rejects.toMatchObject({
      body: { code: 'vm.wrong-state' },
    });
    rmSync(at('vms', vmId), { recursive: true });
    expect(inTrash(vmId)).toEqual([name]);
    await ebb.call('vm.restore', { vmId });
  });
});

describe('control dies while it takes one back', () => {
  it('after the row, before the folder: it is in the trash as before, and can be taken back', async () => {
    const before = await whole(vmId);
    await deleteVm(vmId);
    await ebb.killControl(() => putRow(before.spec));
    expect([await names(), await trashed()]).toEqual([[], ['kept']]);
    await ebb.call('vm.restore', { vmId });
    expect(await whole(vmId)).toEqual(before);
  });

  it('after the folder: it is back; and what an older Ebb did not write there, is there', async () => {
    const before = await whole(vmId);
    await deleteVm(vmId);
    const [name = ''] = inTrash(vmId);
    await ebb.killControl(() => {
      putRow(before.spec);
      renameSync(at('trash', name), at('vms', vmId));
      rmSync(at('vms', vmId, 'vm.json'));
    });
    await waitFor('it to be listed', async () => (await names()).includes('kept'));
    expect(await whole(vmId)).toEqual(before);
    expect(await trashed()).toEqual([]);
    expect(JSON.parse(readFileSync(at('vms', vmId, 'vm.json'), 'utf8'))).toMatchObject({
      spec: { id: vmId, cpus: 2 },
    });
  });
});
