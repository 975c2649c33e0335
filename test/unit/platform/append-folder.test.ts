// The audit's files on a real file system: whatever stands in their place is refused, not followed; a full disk leaves no half.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAppendFolder } from '../../../electron/platform/append-folder.ts';
import { Fault } from '../../../shared/result.ts';

let root: string;
let folder: string;
const open = () => openAppendFolder(folder, 4096);
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('append folder: foreign owners and a full disk are skipped, they need root');

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ebb-append-'));
  folder = join(root, 'audit');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('appends and reads, and its files are the person\u2019s alone', () => {
  open().append('a', 'one\n');
  open().append('a', 'two\n');
  expect(open().read('a')).toBe('one\ntwo\n');
  expect(open().list()).toEqual(['a']);
  expect([statSync(folder).mode & 0o777, statSync(join(folder, 'a')).mode & 0o777]).toEqual([0o700, 0o600]);
});

it('what cannot be removed is a fault', () => {
  expect(() => open().remove('a')).toThrow(Fault);
});

describe('in the place of a file', () => {
  const secret = () => join(root, 'secret');
  const made: readonly (readonly [string, () => void, RegExp])[] = [
    ['a link to another file', () => symlinkSync(secret(), join(folder, 'a')), /is a link/],
    ['a link to nothing', () => symlinkSync(join(root, 'made'), join(folder, 'a')), /is a link/],
    ['a second name of another file', () => linkSync(secret(), join(folder, 'a')), /another name/],
    ['a pipe', () => execFileSync('mkfifo', ['-m', '600', join(folder, 'a')]), /./],
    ['a folder', () => mkdirSync(join(folder, 'a')), /./],
    ['a file open to others', () => chmodSync(join(folder, 'a'), 0o644), /open to others/],
    ['a file that somebody made huge', () => truncateSync(join(folder, 'a'), 2 ** 40), /longer/],
  ];
  it.each(made)('%s is neither read nor written', (what, make, words) => {
    writeFileSync(secret(), 'secret', { mode: 0o600 });
    open().append('b', 'b');
    if (/file (open|that)/.test(what)) open().append('a', 'one\n');
    make();
    expect(() => open().append('a', 'more\n')).toThrow(words);
    expect(() => open().read('a')).toThrow(words);
    expect(readFileSync(secret(), 'utf8')).toBe('secret');
    expect(existsSync(join(root, 'made'))).toBe(false);
  });

  it.skipIf(!isRoot)('a file of somebody else is neither read nor written', () => {
    open().append('a', 'one\n');
    chownSync(join(folder, 'a'), 12_345, 12_345);
    expect(() => open().append('a', 'two\n')).toThrow('not yours');
    expect(() => open().read('a')).toThrow('not yours');
  });
});

describe('in the place of the folder', () => {
  it('a link to another folder is not followed', () => {
    mkdirSync(join(root, 'elsewhere'), { mode: 0o700 });
    symlinkSync(join(root, 'elsewhere'), folder);
    expect(() => open().append('a', 'one\n')).toThrow('link');
    expect(() => open().list()).toThrow('link');
    expect(existsSync(join(root, 'elsewhere', 'a'))).toBe(false);
  });

  it('a plain file is told by its name', () => {
    writeFileSync(folder, '', { mode: 0o600 });
    expect(() => open().append('a', 'one\n')).toThrow(/^host\.permission: .*audit is not a folder/);
  });

  it('a folder that others may write is refused', () => {
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    expect(() => open().append('a', 'one\n')).toThrow('open to others');
  });

  it.skipIf(!isRoot)('a folder of somebody else is refused', () => {
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 12_345, 12_345);
    expect(() => open().list()).toThrow('not yours');
  });
});

it.skipIf(!isRoot)('a full disk is a fault, and leaves the file as it was', () => {
  mkdirSync(folder, { mode: 0o700 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'ebb-test', folder]);
  try {
    const big = openAppendFolder(folder, 2 ** 20);
    big.append('a', 'one\n');
    appendFileSync(join(folder, 'filler'), Buffer.alloc(56 * 1024));
    expect(() => big.append('a', 'x'.repeat(30_000))).toThrow('disk.full');
    expect(big.read('a')).toBe('one\n');
    rmSync(join(folder, 'filler'));
    big.append('a', 'two\n');
    expect(big.read('a')).toBe('one\ntwo\n');
  } finally {
    spawnSync('umount', [folder]);
  }
});
