// Whatever a directory refuses is a fault with words: its callers go on, or say so, and none dies of it (T14).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openAppendFolder } from '../../../electron/platform/append-folder.ts';
import { listenUnix } from '../../../electron/platform/byte-stream.ts';
import { openFolder } from '../../../electron/platform/folder.ts';
import { takeLock } from '../../../electron/platform/lock.ts';
import { findProgram, spawnDetached } from '../../../electron/platform/process.ts';
import { smallFiles } from '../../../electron/platform/small-files.ts';
import * as files from '../../../electron/platform/vm-files.ts';
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

it('where a file stands in the way of a folder, whatever is asked below it fails as a fault', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-folder-'));
  const below = join(folder, 'file', 'below');
  writeFileSync(join(folder, 'file'), '');
  try {
    for (const call of [
      () => openFolder(below),
      () => openAppendFolder(below, 1).list(),
      () => takeLock(below),
      () => spawnDetached(process.execPath, [], below),
      () => smallFiles.makePrivateFolder(below),
      () => smallFiles.readWhole(below),
      () => smallFiles.listFolder(join(folder, 'file')),
      () => files.writeBytes(below, new Uint8Array()),
      () => files.readBytes(below, 0, 1),
      () => files.freeBytesAt(below),
      () => files.linkFile(join(folder, 'file'), below),
      () => files.bytesOf(join(folder, 'x'.repeat(300))),
      () => files.removeLarge(join(folder, 'x'.repeat(300))),
      () => smallFiles.removeTree(join(folder, 'x'.repeat(300))),
      () => smallFiles.removeFile(folder),
    ])
      await expect((async () => await call())(), String(call)).rejects.toBeInstanceOf(Fault);
    const listening = listenUnix(folder, () => undefined);
    await expect(listening).rejects.toMatchObject({ body: { code: 'host.permission' } });
    expect(findProgram('x'.repeat(300), folder)).toBeNull();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
