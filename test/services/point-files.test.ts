// Files inside points, of real file systems with hostile names in them: listed and copied out by the tools of this computer
// over the real processes. No guest runs.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { Ebb } from '../support/ebb.ts';
import { ebbCommand } from '../support/history-vm.ts';
import { randomBytes } from '../support/seeded.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
const root = mkdtempSync(join(tmpdir(), 'ebb-t-files,a=b -'));
const photo = randomBytes(3 * MIB + 77, 5);
let ebb: Ebb;

interface Made {
  readonly vmId: VmId;
  readonly momentId: MomentId;
}
async function vmOf(name: string, image: string): Promise<Made> {
  const ran = await ebbCommand(ebb, 'vm', 'create', name, '--disk', image, '--format', 'raw');
  if (ran.code !== 0) throw new Error(ran.error);
  const { vmId } = await ebb.vmNamed(name);
  return { vmId, momentId: (await ebb.call('timeline.get', { vmId })).moments[0]?.id as MomentId };
}
const bodyOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (cause: unknown) => (cause instanceof Fault ? cause.body : cause),
  );
async function copied(made: Made, paths: string[], folder: string | null = null): Promise<string> {
  const begun = await ebb.call('moment.copy-files', { ...made, paths, folder });
  await ebb.done(begun.taskId);
  return begun.folder;
}
const mounts = (): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes(ebb.paths.runFolder.replaceAll(' ', '\\040')));

/** An ext4 of a guest that means ill, in the second of two partitions; the first holds nothing. */
function hostileDisk(path: string): void {
  const files = join(root, 'files');
  mkdirSync(join(files, 'home/ann/My docs'), { recursive: true });
  writeFileSync(join(files, 'home/ann/My docs/photo.jpg'), photo);
  writeFileSync(join(files, 'home/ann/Grüße 你好.txt'), 'hello');
  writeFileSync(join(files, 'empty'), '');
  for (const name of [
    '-switch',
    '@list',
    'a*b',
    'a?b',
    ' lead',
    'CON:',
    'x\u001b[31mred',
    'two\nlines',
    'rtl\u202egpj.exe',
  ])
    writeFileSync(join(files, name), name);
  symlinkSync('/etc/passwd', join(files, 'link'));
  symlinkSync('../../../../../../etc', join(files, 'up'));
  mkdirSync(join(files, 'many'));
  for (let n = 0; n < 2005; n++) writeFileSync(join(files, 'many', `f${n}`), '');
  const ext4 = join(root, 'ext4.img');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', files, '-F', ext4, '40M']);
  const table = Buffer.alloc(512);
  for (const [row, kind, start, sectors] of [
    [0, 0x07, 2048, 2048],
    [1, 0x83, 4096, (40 * MIB) / 512],
  ] as const) {
    table[446 + 16 * row + 4] = kind;
    table.writeUInt32LE(start, 446 + 16 * row + 8);
    table.writeUInt32LE(sectors, 446 + 16 * row + 12);
  }
  table.writeUInt16LE(0xaa55, 510);
  writeFileSync(path, Buffer.concat([table, Buffer.alloc(4096 * 512 - 512), readFileSync(ext4)]));
}

beforeAll(async () => {
  ebb = await Ebb.start(join(root, 'd'));
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(root, { recursive: true, force: true });
});

describe('files inside a point', () => {
  let made: Made;
  beforeAll(async () => {
    hostileDisk(join(root, 'disk.img'));
    made = await vmOf('ext', join(root, 'disk.img'));
  });

  it('are listed a folder at a time, of the largest partition where none is said', async () => {
    const list = await ebb.call('moment.files', made);
    expect(list.volumes).toMatchObject([
      { index: 0, bytes: MIB },
      { index: 1, bytes: 40 * MIB, fileSystem: 'Linux' },
    ]);
    expect(list).toMatchObject({ volume: 1, isTruncated: false });
    const docs = await ebb.call('moment.files', { ...made, folder: 'home/ann/My docs' });
    expect(docs.entries).toMatchObject([{ name: 'photo.jpg', kind: 'file', bytes: photo.length }]);
    expect(docs.entries?.[0]?.modifiedAt).toBeGreaterThan(0);
    expect((await ebb.call('moment.files', { ...made, volume: 0 })).entries).toBeNull();
    expect((await ebb.call('moment.files', { ...made, folder: 'nowhere' })).entries).toEqual([]);
    const many = await ebb.call('moment.files', { ...made, folder: 'many' });
    expect([many.entries?.length, many.isTruncated]).toEqual([2000, true]);
  });

  it('hostile names are shown plain, and links are never more than links', async () => {
    const { entries } = await ebb.call('moment.files', made);
    const kinds = new Map(entries?.map(({ name, kind }) => [name, kind]));
    expect([...kinds.keys()].join('')).not.toMatch(/[\p{Cc}\u202e]/u);
    for (const name of ['link', 'up', 'x\ufffd[31mred', 'rtl\ufffdgpj.exe'])
      expect(kinds.get(name), name).toBe('other');
    expect(kinds.get('home')).toBe('folder');
    for (const path of ['link', 'up/passwd', 'home', 'home/../etc/passwd', 'x\ufffd[31mred'])
      expect(await bodyOf(copied(made, [path])), path).toMatchObject({ code: 'file.unreadable' });
  });

  it('are copied out byte for byte, under plain names, and nothing is written over', async () => {
    const folder = await copied(made, ['home/ann/My docs/photo.jpg', 'home/ann/Grüße 你好.txt', 'empty']);
    expect(folder.startsWith(join(ebb.paths.dataFolder, 'exports'))).toBe(true);
    expect(readFileSync(join(folder, 'photo.jpg')).equals(photo)).toBe(true);
    expect(readFileSync(join(folder, 'Grüße 你好.txt'), 'utf8')).toBe('hello');
    expect(statSync(join(folder, 'empty')).size).toBe(0);
    const target = join(root, 'out');
    mkdirSync(target);
    const odd = ['-switch', '@list', 'a*b', 'a?b', ' lead', 'CON:'];
    await copied(made, odd, target);
    expect(
      readdirSync(target)
        .map(name => readFileSync(join(target, name), 'utf8'))
        .sort(),
    ).toEqual(odd.sort());
    expect(readdirSync(target).join('')).not.toMatch(/[*?:]/);
    const ran = await ebbCommand(
      ebb,
      'point',
      'restore-files',
      'ext',
      'Imported',
      'home/ann/My docs/photo.jpg',
      '--to',
      target,
    );
    expect(ran, ran.error).toMatchObject({ code: 0 });
    await copied(made, ['home/ann/My docs/photo.jpg'], target);
    for (const name of ['photo.jpg', 'photo 2.jpg'])
      expect(readFileSync(join(target, name)).equals(photo)).toBe(true);
    expect((await ebbCommand(ebb, 'point', 'files', 'ext', 'Imported', 'home/ann')).out).toContain(
      'My docs/',
    );
  });

  it('of a daemon that was killed with its control leave no mount and no folder with the next', async () => {
    const mine = (): string[] => readdirSync(ebb.paths.runFolder).filter(name => name.startsWith('f-'));
    const asked = ebb.call('moment.files', made).catch(() => null);
    const pidOf = (): number =>
      Number(readFileSync(join(ebb.paths.runFolder, mine()[0] ?? '', 'pid'), 'utf8'));
    const daemon = await vi.waitFor(
      () => {
        expect(mounts()).not.toEqual([]);
        expect(pidOf()).toBeGreaterThan(1);
        return pidOf();
      },
      { timeout: 60_000, interval: 1 },
    );
    // Asked to end when its control dies, it would take its mount away.
    process.kill(daemon, 'SIGSTOP');
    await ebb.killControl();
    process.kill(daemon, 'SIGKILL');
    await asked;
    expect(mounts()).not.toEqual([]);
    expect((await ebb.call('moment.files', made)).volumes).toHaveLength(2);
    await vi.waitFor(() => expect([mounts(), mine()]).toEqual([[], []]), 30_000);
  });

  it('leave no mount, no tool and no file half-written behind, where control dies over it too', async () => {
    const target = join(root, 'killed');
    mkdirSync(target);
    const asked = ebb
      .call('moment.copy-files', { ...made, paths: ['many/f1'], folder: target })
      .catch(() => null);
    const deadline = performance.now() + 60_000;
    while (mounts().length === 0) {
      if (performance.now() > deadline) throw new Error('waited 60 s for a mount');
      await new Promise(resolve => setImmediate(resolve));
    }
    await ebb.killControl();
    await asked;
    await vi.waitFor(() => expect(mounts()).toEqual([]), 30_000);
    expect(readdirSync(target).filter(name => name.endsWith('.part'))).toEqual([]);
    expect(await copied(made, ['empty'], target)).toBe(target);
    expect(mounts()).toEqual([]);
  });
});

describe('other disks', () => {
  it('FAT is read; a disk that calls itself an image with a parent is read as nothing', async () => {
    const files = join(root, 'fat');
    mkdirSync(files);
    writeFileSync(join(files, 'NOTE.TXT'), 'on fat');
    const image = join(root, 'fat.img');
    execFileSync('qemu-img', [
      ...['convert', '-O', 'raw', '--image-opts'],
      `driver=vvfat,dir=${files.replaceAll(',', ',,')},read-only=on`,
      image,
    ]);
    const fat = await vmOf('fat', image);
    const { entries } = await ebb.call('moment.files', fat);
    expect(entries?.map(({ name }) => name.toUpperCase())).toContain('NOTE.TXT');
    const folder = await copied(fat, [entries?.find(({ kind }) => kind === 'file')?.name ?? '']);
    expect(readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8')).toBe('on fat');
    const secret = join(root, 'secret.bin');
    writeFileSync(secret, 'secret'.repeat(1000));
    const vmdk = `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 8 FLAT "${secret}" 0\n`;
    const liar = join(root, 'liar.img');
    writeFileSync(liar, vmdk);
    truncateSync(liar, 4 * MIB);
    // Through a partition: a whole disk of that mark is not even imported as raw.
    const table = Buffer.alloc(2048 * 512);
    table[446 + 4] = 0x83;
    table.writeUInt32LE(2048, 446 + 8);
    table.writeUInt32LE(8192, 446 + 12);
    table.writeUInt16LE(0xaa55, 510);
    const disk = join(root, 'liar-disk.img');
    writeFileSync(disk, Buffer.concat([table, readFileSync(liar)]));
    const made = await vmOf('liar', disk);
    expect(await ebb.call('moment.files', made)).toMatchObject({ entries: null, volume: 0 });
  });

  it('where files go is a folder that is there, by its whole path', async () => {
    const made = await vmOf('plain', join(root, 'disk.img'));
    const wanted = { ...made, paths: ['empty'] };
    for (const folder of ['relative', join(root, 'none')])
      expect(await bodyOf(ebb.call('moment.copy-files', { ...wanted, folder }))).toMatchObject({
        code: 'file.unreadable',
      });
    expect(existsSync(join(root, 'none'))).toBe(false);
  });
});
