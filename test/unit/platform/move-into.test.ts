// A folder moved as a whole is where it was moved to after a power cut: both folders it is named in are synced, in order.
import fs, { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { moveInto } from '../../../electron/platform/vm-files.ts';

const root = mkdtempSync(join(tmpdir(), 'ebb-move-'));
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  rmSync(root, { recursive: true, force: true });
});

it('a VM that goes to the trash is renamed, then synced where it is and where it was; a trash made for it before', () => {
  const done: string[] = [];
  const shown = (path: string): string => path.slice(root.length);
  const { fsyncSync, renameSync } = fs;
  vi.spyOn(fs, 'fsyncSync').mockImplementation(fd => {
    done.push(`sync ${shown(readlinkSync(`/proc/self/fd/${fd}`))}`);
    fsyncSync(fd);
  });
  vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    done.push(`rename ${shown(String(to))}`);
    renameSync(from, to);
  });
  syncBuiltinESMExports();
  for (const name of ['a', 'b']) {
    mkdirSync(join(root, 'vms', name), { recursive: true });
    writeFileSync(join(root, 'vms', name, 'disk'), name);
    moveInto(join(root, 'trash'), join(root, 'vms', name), `${name}-1`);
  }
  const moved = (name: string): string[] => [`rename /trash/${name}-1`, 'sync /trash', 'sync /vms'];
  expect(done).toEqual(['sync ', ...moved('a'), ...moved('b')]);
  expect([readdirSync(join(root, 'trash')), readdirSync(join(root, 'vms'))]).toEqual([['a-1', 'b-1'], []]);
});
