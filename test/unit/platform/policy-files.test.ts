// Policy files are read only where nobody else can have written them. As root in a folder of its own; where the tests do not
// run as root, what needs another owner is left out and says so.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ownUid,
  readAddedFolder,
  readPolicyFolder,
  systemPolicyFolder,
} from '../../../electron/platform/policy-files.ts';
import { runTool } from '../../../electron/platform/process.ts';

const isRoot = ownUid() === 0;
const OTHER = 65_534;
let top: string;
let folder: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'ebb-p-'));
  folder = join(top, 'managed');
  mkdirSync(folder, { mode: 0o755 });
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const write = (name: string, text: string | Uint8Array = '{}'): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o644 });
  return path;
};
const found = () => readPolicyFolder(folder, [0, ownUid()]);
const problemOf = (path: string): string | undefined =>
  found().files.find(file => file.path === path)?.problem;

describe('a folder', () => {
  it('gives its JSON files in the order of their names, and nothing else of it', () => {
    for (const name of ['b.json', 'a.json', '.hidden.json', 'a.json.bak', 'note.txt']) write(name);
    expect(found()).toMatchObject({
      problem: '',
      files: [{ path: join(folder, 'a.json'), text: '{}' }, { path: join(folder, 'b.json') }],
    });
  });

  it('that is not there has no files and no problem', () => {
    expect(readPolicyFolder(join(top, 'none'), [ownUid()])).toMatchObject({ files: [], problem: '' });
  });

  it('that others can write, itself or above it, is not read at all', () => {
    write('a.json');
    chmodSync(folder, 0o777);
    expect(found()).toMatchObject({ files: [], problem: `${folder} can be written by others` });
    chmodSync(folder, 0o755);
    chmodSync(top, 0o775);
    expect(found()).toMatchObject({ files: [], problem: `${top} can be written by others` });
  });

  it('that is added is a person’s own unless nobody but an administrator can write in it', () => {
    const path = write('a.json');
    const other = isRoot ? OTHER : ownUid();
    expect(readAddedFolder(folder, other)).toMatchObject({ isOwn: !isRoot, files: [{ text: '{}' }] });
    if (!isRoot) return;
    chownSync(path, OTHER, OTHER);
    expect(readAddedFolder(folder, OTHER)).toMatchObject({ isOwn: true, files: [{ text: '{}' }] });
    chownSync(path, 0, 0);
    chownSync(top, OTHER, OTHER);
    expect(readAddedFolder(folder, OTHER)).toMatchObject({ isOwn: true, files: [{ text: '{}' }] });
  });

  it('that is reached by a link is not read at all', () => {
    write('a.json');
    const link = join(top, 'link');
    symlinkSync(folder, link);
    expect(readPolicyFolder(link, [0, ownUid()])).toMatchObject({ files: [], problem: `${link} is a link` });
  });

  it('with too many files is not read at all', () => {
    for (let n = 0; n < 65; n++) write(`${n}.json`);
    expect(found().problem).toContain('more than 64 files');
  });

  it('whose path is not absolute is not read at all', () => {
    expect(readPolicyFolder('managed', [ownUid()]).problem).toContain('not absolute');
  });
});

describe('a file', () => {
  it.each([0o664, 0o646, 0o666])('that others can write (%o) is not trusted', mode => {
    const path = write('a.json');
    chmodSync(path, mode);
    expect(problemOf(path)).toBe('it can be written by others');
  });

  it('that is a link, a folder or a pipe is not read, and none is waited for', async () => {
    const target = write('a.txt');
    symlinkSync(target, join(folder, 'link.json'));
    mkdirSync(join(folder, 'folder.json'));
    await runTool('mkfifo', [join(folder, 'pipe.json')], { timeoutMs: 10_000 });
    expect(problemOf(join(folder, 'link.json'))).toBe('it is a link');
    expect(problemOf(join(folder, 'folder.json'))).toBe('it is not a plain file');
    expect(problemOf(join(folder, 'pipe.json'))).toBe('it is not a plain file');
  });

  it('that is too large, or no text, is not read', () => {
    expect(problemOf(write('a.json', new Uint8Array(256 * 1024)))).toBe('');
    expect(problemOf(write('b.json', new Uint8Array(256 * 1024 + 1)))).toContain('larger than 256 KiB');
    expect(problemOf(write('c.json', new Uint8Array([0xff, 0xfe])))).toBe('it is not UTF-8 text');
  });

  it.runIf(isRoot)('or folder that is another user’s is not trusted', () => {
    const path = write('a.json');
    chownSync(path, OTHER, OTHER);
    expect(problemOf(path)).toBe(`it belongs to user ${OTHER}, not to root`);
    chownSync(top, OTHER, OTHER);
    expect(found()).toMatchObject({ files: [], problem: `${top} belongs to user ${OTHER}, not to root` });
  });
});

it('the system’s folder follows from the OS alone, whatever the environment says', () => {
  const before = { ...process.env };
  Object.assign(process.env, {
    ProgramData: '/tmp',
    XDG_CONFIG_DIRS: '/tmp',
    XDG_CONFIG_HOME: '/tmp',
    HOME: '/tmp',
    EBB_POLICY: '/tmp',
  });
  const found = (['linux', 'darwin', 'win32'] as const).map(os => systemPolicyFolder(os));
  process.env = before;
  expect(found).toEqual([
    '/etc/ebb/policy',
    '/Library/Application Support/ebb/policy',
    'C:\\ProgramData\\ebb\\policy',
  ]);
});
