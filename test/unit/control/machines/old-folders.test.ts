// T8: the folder of a deleted VM goes for good a week later, by the clock control is given, and nothing else does. The
// folders are real ones.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { machineFolders } from '../../../../electron/control/machines/machine-folders.ts';
import { Trash } from '../../../../electron/control/machines/trash.ts';
import { systemClock } from '../../../../electron/platform/clock.ts';
import { ebbPaths } from '../../../../electron/platform/paths.ts';
import type { VmId } from '../../../../shared/ids.ts';
import { newVmId } from '../../../support/storage-process.ts';
import { until } from '../../../support/until.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

let data: string;
let laterMs: number;
let everyDay: () => void;
let purged: VmId[];
let logged: string[];
let gone: VmId[];

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'ebb-trash-'));
  [laterMs, purged, logged, gone] = [0, [], [], []];
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const inTrash = (): string[] => (existsSync(join(data, 'trash')) ? readdirSync(join(data, 'trash')) : []);

function trashOf(vms: readonly VmId[], purge: (vmId: VmId) => Promise<void>): Trash {
  const clock = {
    ...systemClock,
    wallMs: () => systemClock.wallMs() + laterMs,
    every: (periodMs: number, run: () => void) => {
      expect(periodMs).toBe(24 * HOUR_MS);
      everyDay = run;
      return { cancel: () => undefined };
    },
  };
  const folders = machineFolders(ebbPaths(data));
  return new Trash({
    clock,
    folders,
    keptMs: () => 7 * 24 * 3_600_000,
    vms: () => vms,
    purgePoints: purge,
    removed: vmId => gone.push(vmId),
    log: line => logged.push(line),
  });
}

it('T8: a week after it was deleted a VM is gone, looked for at the start and every day', async () => {
  const vmId = newVmId();
  const folders = machineFolders(ebbPaths(data));
  mkdirSync(join(folders.home(vmId), 'disks'), { recursive: true });
  writeFileSync(join(folders.home(vmId), 'disks', 'a.vhd'), 'content');
  folders.toTrash(vmId);
  const theirs = ['notes.txt', `${newVmId()}`, 'other-1', '-5'];
  for (const name of theirs) writeFileSync(join(data, 'trash', name), 'theirs');
  const whole = inTrash();
  expect(whole).toHaveLength(5);

  const trash = trashOf([], () => Promise.resolve());
  for (laterMs of [0, WEEK_MS - HOUR_MS]) {
    await trash.empty();
    expect(inTrash()).toEqual(whole);
  }
  trash.begin();
  laterMs = WEEK_MS + HOUR_MS;
  everyDay();
  await until('it to be gone', () => !inTrash().some(name => name.startsWith(`${vmId}-`)));
  expect(inTrash().sort()).toEqual([...theirs].sort());
  await until('it to be told', () => gone.length > 0);
  expect(gone).toEqual([vmId]);
});

it('points go day by day too, and one VM that refuses keeps no other waiting', async () => {
  const [first, second] = [newVmId(), newVmId()];
  const trash = trashOf([first, second], vmId => {
    purged.push(vmId);
    return vmId === first ? Promise.reject(new Error('not open')) : Promise.resolve();
  });
  trash.begin();
  await until('both to be asked', () => purged.length === 2);
  everyDay();
  await until('both to be asked again', () => purged.length === 4);
  expect(purged).toEqual([first, second, first, second]);
  expect(logged).toEqual([`trash, ${first}: not open`, `trash, ${first}: not open`]);
});
