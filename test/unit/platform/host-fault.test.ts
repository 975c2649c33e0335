// What the host refuses, and what we do wrong, as they are thrown: codes and advice by what was refused, and a mistake of
// ours as itself.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBlockFile } from '../../../electron/platform/block-file.ts';
import { listenUnix } from '../../../electron/platform/byte-stream.ts';
import { hostCode, hosted } from '../../../electron/platform/host-fault.ts';
import { makePrivateFolder, removeFile, writeJson } from '../../../electron/platform/json-file.ts';
import { takeLock } from '../../../electron/platform/lock.ts';
import { makeFolders } from '../../../electron/platform/paths.ts';
import { BugError } from '../../../shared/result.ts';
import { bodyOf } from '../../support/refused.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('host faults: file systems that refuse are skipped, mounting them needs root');
const MODULE = new URL('../../../electron/platform/byte-stream.ts', import.meta.url).href;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ebb-fault-'));
});
afterEach(() => rmSync(root, { recursive: true }));

async function mounted(options: string, work: () => unknown): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'ebb-test', root]);
  try {
    await work();
  } finally {
    spawnSync('umount', [root]);
  }
}

it('a mistake of ours is thrown as it is, also out of an image file', () => {
  const bug = new BugError('wrong');
  const throwing = (cause: unknown) => () =>
    hosted('writing', 'it', () => {
      throw cause;
    });
  expect(throwing(bug)).toThrow(bug);
  expect(() => writeJson(join(root, 'note'), 1n)).toThrow(TypeError);
  expect(() => removeFile(1n as never)).toThrow(TypeError);
  expect(throwing(null)).toThrow(BugError);
  expect(
    ['SQLITE_BUSY', 'SQLITE_CONSTRAINT', 'SQLITE_ERROR', 'SQLITE_MISUSE', 4].map(code => hostCode({ code })),
  ).toEqual(Array(5).fill(null));
  const file = openBlockFile(join(root, 'image'), 'image', 'create');
  expect(() => file.read(new Uint8Array(1), 2 ** 60)).toThrow(RangeError);
  file.close();
  expect(bodyOf(() => file.read(new Uint8Array(1), 0))).toEqual({
    code: 'disk.io',
    what: 'reading image failed (EBADF).',
    safe: 'What was flushed before is safe.',
    todo: 'Check the disk this file is on.',
  });
});

it('what stands in the way, or is gone, is told by its code', () => {
  writeFileSync(join(root, 'file'), '');
  expect(bodyOf(() => makePrivateFolder(join(root, 'file', 'folder')))).toMatchObject({ code: 'disk.io' });
  expect(bodyOf(() => removeFile(root))).toMatchObject({ code: 'disk.io' });
  expect(bodyOf(() => takeLock(join(root, 'none', 'lock')))).toMatchObject({ code: 'disk.io' });
  expect(hostCode({ code: 'EACCES' })).toBe('host.permission');
  expect(hostCode({ code: 'SQLITE_CORRUPT' })).toBe('disk.io');
});

it.skipIf(!isRoot)('where nothing may be written that is said, and nobody is told to free space', () =>
  mounted('size=64k', () => {
    writeJson(join(root, 'note'), {});
    execFileSync('mount', ['-o', 'remount,ro', root]);
    const refused = { code: 'host.permission', todo: expect.stringMatching(/your account may/) };
    expect(bodyOf(() => removeFile(join(root, 'note')))).toMatchObject(refused);
    expect(bodyOf(() => writeJson(join(root, 'note'), {}))).toMatchObject(refused);
    expect(bodyOf(() => takeLock(join(root, 'lock')))).toMatchObject(refused);
  }),
);

it.skipIf(!isRoot)(
  'on a full disk no lock, folder or socket is refused for its permissions, and no VM is to go on',
  () =>
    mounted('nr_inodes=1', async () => {
      const full = { code: 'disk.full', todo: expect.stringMatching(/^Free some space(?!.*VM)/) };
      expect(bodyOf(() => makePrivateFolder(join(root, 'folder')))).toMatchObject(full);
      const paths = { dataFolder: join(root, 'data'), runFolder: join(root, 'run') };
      expect(bodyOf(() => makeFolders(paths as never))).toMatchObject(full);
      await expect(listenUnix(join(root, 'socket'), () => undefined)).rejects.toMatchObject({ body: full });
    }),
);

it.skipIf(!isRoot)('a lock on a disk that fills up is refused for that', () =>
  mounted('size=4k', () => {
    spawnSync('sh', ['-c', `cat /dev/zero > ${join(root, 'rest')}`]);
    expect(bodyOf(() => takeLock(join(root, 'lock')))).toMatchObject({ code: 'disk.full' });
  }),
);

it('too many open files keep nobody from a folder of their own', () => {
  const script = `const { openSync } = await import('node:fs');
    const { listenUnix } = await import('${MODULE}');
    try { for (;;) openSync('/dev/null'); } catch {}
    await listenUnix(process.argv[1], () => undefined).catch(({ body }) => process.stdout.write(body.code));
    process.exit();`;
  const node = `ulimit -n 64; exec "$0" --input-type=module -e "$1" "$2"`;
  const ran = spawnSync('sh', ['-c', node, process.execPath, script, join(root, 'socket')], {
    encoding: 'utf8',
  });
  expect([ran.stdout, ran.stderr]).toEqual(['limit.reached', '']);
});
