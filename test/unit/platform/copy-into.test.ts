// A file is copied whole, piece by piece where blocks cannot be shared, and whoever is asked between two pieces can end it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyInto } from '../../../electron/platform/vm-files.ts';
import { canReflink } from '../../support/reflink-folder.ts';
import { randomBytes } from '../../support/seeded.ts';

const MIB = 2 ** 20;
const content = randomBytes(20 * MIB + 5, 3);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-copy-'));
  writeFileSync(join(folder, 'from'), content);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('every piece is asked for, and the copy is the original', async () => {
  const asked: number[] = [];
  await copyInto(join(folder, 'from'), join(folder, 'new'), 'to', (done, total) => {
    expect(total).toBe(content.length);
    asked.push(done);
    return Promise.resolve();
  });
  expect(readFileSync(join(folder, 'new', 'to')).equals(content)).toBe(true);
  const pieces = [0, 8 * MIB, 16 * MIB, content.length];
  expect(asked).toEqual(canReflink(folder) ? [] : pieces);
  expect(readdirSync(join(folder, 'new'))).toEqual(['to']);
});

it('one that is not allowed ends it, with its own reason, and nothing is left', async () => {
  if (canReflink(folder)) return console.info('not shown here: this file system shares blocks at once');
  const reason = new Error('cancelled');
  const copy = copyInto(join(folder, 'from'), folder, 'to', done =>
    done === 0 ? Promise.resolve() : Promise.reject(reason),
  );
  await expect(copy).rejects.toBe(reason);
  expect(readdirSync(folder)).toEqual(['from']);
});

it('what cannot be read or written is told as what it is', async () => {
  const never = (): Promise<void> => Promise.resolve();
  await expect(copyInto(join(folder, 'none'), folder, 'to', never)).rejects.toMatchObject({
    body: { code: 'disk.io', what: expect.stringContaining('ENOENT') },
  });
});
