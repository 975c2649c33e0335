// Whatever a directory refuses is a fault with words: its callers go on, or say so, and none dies of it (T14).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFolder } from '../../../electron/platform/folder.ts';
import { Fault } from '../../../shared/result.ts';

it('every call of a folder that is gone fails as a fault, or says nothing is there', async () => {
  const path = mkdtempSync(join(tmpdir(), 'ebb-folder-'));
  const folder = openFolder(path);
  rmSync(path, { recursive: true });
  for (const call of [
    () => folder.rename('from', 'to'),
    () => folder.list(),
    () => folder.sync(),
    () => folder.freeBytes(),
    () => folder.open('file', 'existing'),
    () => folder.open('file', 'create'),
  ])
    await expect((async () => await call())()).rejects.toBeInstanceOf(Fault);
  expect(folder.exists('file')).toBe(false);
  await folder.unlink('file');
});

it('a file that cannot be looked for is not one that is not there', () => {
  const path = mkdtempSync(join(tmpdir(), 'ebb-folder-'));
  try {
    expect(() => openFolder(path).exists('x'.repeat(300))).toThrow(Fault);
  } finally {
    rmSync(path, { recursive: true });
  }
});
