import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../../build/layers.ts';
import { readAsar } from '../../../build/package/asar.ts';
import { FUSES, fuseWire, standInExecutable, wrongFuses } from '../../../build/package/fuses.ts';
import { BUDGET_BYTES, judgePackage, type PackageContent } from '../../../build/package/judge.ts';
import { machineCode } from '../../../build/package/machine-code.ts';
import { FORMATS } from '../../../build/package/pack.ts';
import { projectVersion } from '../../../build/version.ts';
import { EBB_VERSION, isOlder } from '../../../electron/platform/version.ts';

const config = JSON.parse(readFileSync(join(repositoryRoot, 'build/electron-builder.json'), 'utf8'));
const file = (path: string, text = 'x') => ({ path, bytes: Buffer.from(text) });
/** The first bytes of a program for Linux; 0x3e is x64. */
function elf(path: string, processor = 0x3e) {
  const bytes = Buffer.alloc(64);
  bytes.write('\x7fELF', 0, 'latin1');
  bytes.writeUInt16LE(processor, 18);
  return { path, bytes };
}
function pe(path: string, processor: number) {
  const bytes = Buffer.alloc(160);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(128, 0x3c);
  bytes.write('PE\0\0', 128, 'latin1');
  bytes.writeUInt16LE(processor, 132);
  return { path, bytes };
}
const GOOD_WIRE = Object.values(FUSES)
  .map(isOn => (isOn === true ? '1' : '0'))
  .join('');

const BESIDE = ['LICENSE.electron.txt', 'LICENSES.chromium.html'];

/** The least that passes. */
function good(): PackageContent & { runtime: { path: string; bytes: Buffer }[] } {
  const files = [
    'electron/control/main.js',
    'electron/storage/main.js',
    'electron/storage/worker.js',
    'electron/storage/vhd/main.js',
    'electron/shells/cli/main.js',
    'electron/shells/headless/main.js',
    'renderer/index.html',
    'man/ebb.1',
    'LICENSE',
    'THIRD-PARTY-LICENCES.txt',
    'bin/ebb',
    'bin/ebb-browser',
  ].map(path => file(path));
  files.push(elf('bin/node'), elf('node_modules/better-sqlite3/prebuilds/linux-x64.node'));
  return { asar: goodArchive(), runtime: [...files, manifest(files)], fuseWire: GOOD_WIRE, beside: BESIDE };
}
const goodArchive = () =>
  [
    'package.json',
    'LICENSE',
    ...['main.js', 'preload.cjs', 'icon.png'].map(name => `dist/electron/shells/desktop/${name}`),
    'dist/renderer/licences.txt',
    'dist/renderer/index.html',
  ].map(path => file(path));
const manifest = (files: readonly { path: string; bytes: Buffer }[]) =>
  file(
    'manifest.json',
    JSON.stringify({
      version: '1',
      files: Object.fromEntries(
        files.map(({ path, bytes }) => [
          path,
          { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
        ]),
      ),
    }),
  );
/** With one more file in the runtime, which the manifest knows. */
function withFile(path: string, text = 'x'): PackageContent {
  const content = good();
  const files = [...content.runtime.filter(({ path: name }) => name !== 'manifest.json'), file(path, text)];
  return { ...content, runtime: [...files, manifest(files)] };
}

const withNode = (node: { path: string; bytes: Buffer }): PackageContent => {
  const content = good();
  const others = content.runtime.filter(({ path }) => !['bin/node', 'manifest.json'].includes(path));
  return { ...content, runtime: [...others, node, manifest([...others, node])] };
};

describe('judging a package', () => {
  it('passes one that is as it should be', () => expect(judgePackage(good())).toEqual([]));

  it.each([
    ['a dependency of developers', withFile('node_modules/vitest/index.js'), 'should not hold'],
    ['a second native module', withFile('node_modules/better-sqlite3/prebuilds/win32-x64.node'), '2 native'],
    ['a source map', withFile('electron/control/main.js.map'), 'source map'],
    ['the folder of its maker', withFile('electron/control/a.js', 'x="/home/me/ebb"'), 'names /home/me'],
    ['a wrong fuse', { ...good(), fuseWire: `1${GOOD_WIRE.slice(1)}` }, 'runAsNode is 1'],
    [
      'a module inside the archive',
      { ...good(), asar: [...goodArchive(), file('node_modules/ws/index.js')] },
      'archive should not',
    ],
    ['no page', { ...good(), asar: goodArchive().slice(0, -1) }, 'lacks dist/renderer/index.html'],
    ['no licences of Chromium', { ...good(), beside: BESIDE.slice(0, 1) }, 'lacks LICENSES.chromium'],
    [
      'a changed file',
      {
        ...good(),
        runtime: good().runtime.map(one => (one.path === 'bin/node' ? file('bin/node', 'y') : one)),
      },
      'not what the manifest says',
    ],
    [
      'a file that is gone',
      { ...good(), runtime: good().runtime.filter(({ path }) => path !== 'man/ebb.1') },
      'which is not there',
    ],
    [
      'a Node of another processor',
      withNode(elf('bin/node', 0xb7)),
      'bin/node is for linux-arm64, not linux-x64',
    ],
    [
      'a Node of another system',
      withNode(pe('bin/node', 0x8664)),
      'bin/node is for win32-x64, not linux-x64',
    ],
    ['a Node that is none', withNode(file('bin/node')), 'bin/node is for no machine'],
    ["another system's commands", withFile('bin/ebb.cmd'), 'the runtime for linux-x64 holds bin/ebb.cmd'],
    ['too much', withFile('electron/control/big.js', 'x'.repeat(BUDGET_BYTES.services)), 'services is'],
  ])('complains of %s', (_, content, complaint) => {
    expect(judgePackage(content).join('\n')).toContain(complaint);
  });
});

describe('what is asked of the packager', () => {
  it('asks for the fuses that are judged', () => {
    const asked = Object.entries(FUSES).filter(([, isOn]) => isOn !== null);
    expect(config.electronFuses).toEqual(Object.fromEntries(asked));
  });

  it('makes both processors of every system, opens disks and links, installs ebb and its manual', () => {
    const archs = [config.linux, config.mac, config.win].flatMap(({ target }) =>
      target.map((one: { target: string; arch: string[] }) => `${one.target} ${one.arch.join(' ')}`),
    );
    expect(archs).toEqual([
      'deb x64 arm64',
      'AppImage x64 arm64',
      'dmg x64 arm64',
      'zip x64 arm64',
      'nsis x64 arm64',
    ]);
    const named = ({ target }: { target: { target: string }[] }) => target.map(one => one.target);
    expect(FORMATS).toEqual({
      linux: named(config.linux),
      darwin: named(config.mac),
      win32: named(config.win),
    });
    expect(config.fileAssociations[0].ext).toBe('vhd');
    expect(config.protocols[0].schemes).toEqual(['ebb']);
    expect(config.deb.fpm.join(' ')).toMatch(/=\/usr\/bin\/ebb .*man1\/ebb\.1\.gz/);
    // The window's program must leave the name `ebb` to the command line.
    expect(config.linux.executableName).toBe('ebb-desktop');
  });

  it('reads the fuses of an executable, and says when it has none', () => {
    expect(wrongFuses(fuseWire(standInExecutable()))).toContain('runAsNode is 1');
    expect(wrongFuses(GOOD_WIRE)).toEqual([]);
    expect(() => fuseWire(Buffer.from('a program'))).toThrow('no fuses');
  });

  it('reads an archive by its documented form', () => {
    const header = JSON.stringify({ files: { a: { files: { 'b.js': { offset: '1', size: 2 } } } } });
    const head = Buffer.alloc(16);
    head.writeUInt32LE(4, 0);
    head.writeUInt32LE(8 + header.length, 4);
    head.writeUInt32LE(4 + header.length, 8);
    head.writeUInt32LE(header.length, 12);
    const archive = Buffer.concat([head, Buffer.from(header), Buffer.from('xyz')]);
    expect(readAsar(archive)).toEqual([{ path: 'a/b.js', bytes: Buffer.from('yz') }]);
  });
});

describe('machine code', () => {
  it.each([
    [elf('a', 0xb7), 'linux-arm64'],
    [pe('a', 0xaa64), 'win32-arm64'],
    [elf('a', 3), 'linux-unknown'],
    [{ bytes: Buffer.concat([Buffer.from('cffaedfe0c000001', 'hex'), Buffer.alloc(64)]) }, 'darwin-arm64'],
    [{ bytes: Buffer.from('MZ'.padEnd(64, '\xff'), 'latin1') }, null],
    [{ bytes: Buffer.alloc(3) }, null],
  ])('is told by its first bytes (%#)', ({ bytes }, machine) => expect(machineCode(bytes)).toBe(machine));
});

describe('versions', () => {
  it('are one: from source as in a bundle', () => expect(EBB_VERSION).toBe(projectVersion()));
  it.each([
    ['0.1.0', '0.1.1', true],
    ['0.9.0', '0.10.0', true],
    ['1.0.0', '0.9.9', false],
    ['1.2.3', '1.2.3', false],
    ['', '0.0.1', true],
    ['1.2', '1.2.1', true],
  ])('%s before %s: %s', (one, other, is) => expect(isOlder(one, other)).toBe(is));
});
