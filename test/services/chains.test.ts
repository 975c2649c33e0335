// Chains of other programs with their history, through the whole of Ebb: a point for each image, bit by bit, settled so
// that Now is the newest. What is not whole is refused and leaves nothing. No guest runs.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { exactSize } from '../../electron/storage/vhd/geometry.ts';
import type { PointId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { Ebb } from '../support/ebb.ts';
import { VhdFolder } from '../support/foreign-vhd.ts';
import { randomBytes, Seeded } from '../support/seeded.ts';
import { expectStrangersAgree, type KnownPoint } from '../support/strangers.ts';
import { type ForeignLocator, type ForeignVhd, writeForeignVhd } from '../support/vhd-writer.ts';

// Whole chains through processes and strangers: on a loaded machine that takes a minute. This only ends a hang.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const MIB = 2 ** 20;
/** No CHS product, and no whole number of 4 KiB. */
const SIZE = 13 * MIB + 3 * 512;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const uuidOf = (level: number): string => `${String(level).repeat(8)}-aaaa-4bbb-8ccc-dddddddddddd`;

let ebb: Ebb;
let folder: VhdFolder;
beforeAll(async () => {
  ebb = await Ebb.start();
  folder = new VhdFolder();
});
afterAll(async () => {
  await ebb?.dispose();
  folder?.[Symbol.dispose]();
});

let names = 0;
async function importChain(leaf: string, format: 'vhd' | 'raw' = 'vhd'): Promise<VmId> {
  const { file } = await ebb.call('file.register', { path: folder.file(leaf) });
  const { vmId, taskId } = await ebb.call('vm.create', {
    name: `chain ${++names}`,
    os: 'other',
    cpus: 1,
    minKib: 128 * 1024,
    maxKib: 256 * 1024,
    source: { kind: 'disk', file, format, history: true },
  });
  await ebb.done(taskId);
  return vmId;
}

const beside = (name: string): ForeignLocator[][] => [
  [],
  [{ code: 'W2ru', text: `.\\${name}` }],
  [
    { code: 'MacX', text: `file://./${encodeURIComponent(name)}` },
    { code: 'W2ku', text: `C:\\VMs of mine\\${name}` },
    { code: 'W2ru', text: `.\\${name}` },
  ],
  [
    { code: 'zzzz', text: '../../nonsense' },
    { code: 'W2ku', text: `\\\\server\\share\\${name}` },
    { code: 'Wi2r', text: `.\\${name}`, spaceInSectors: true },
  ],
];
const HABITS: readonly Partial<ForeignVhd>[] = [
  {},
  { blockBytes: 512 * 1024, spareEntries: 300 },
  { gap: place => 512 * (place % 4), order: blocks => blocks.reverse(), endFooter: false },
  { batmap: true, creator: 'tap\0', endFooter: 'short' },
  { blockBytes: 512 * 1024, headFooter: false },
];

/** Images on top of each other, written by a stranger; answers the content each has over its parents. */
function writeChain(levels: number, base: Partial<ForeignVhd>): Buffer[] {
  const random = new Seeded(levels);
  const contents = [randomBytes(SIZE, 300)];
  const first = contents[0] as Buffer;
  first.fill(0, 5 * MIB, 9 * MIB);
  folder.put('level 0.vhd', writeForeignVhd({ content: first, uuid: uuidOf(0), ...base }));
  for (let level = 1; level < levels; level++) {
    const own = randomBytes(SIZE, 300 + level);
    // Zeros where the parent has data are content, too.
    own.fill(0, MIB, 2 * MIB);
    const period = 2 + random.below(9);
    const hasSector = (sector: number): boolean => sector % period === 0 || (sector >= 2048 && sector < 4096);
    const allocated = (block: number): boolean => block % 3 !== level % 3;
    const name = `level ${level - 1}.vhd`;
    const parent = { uuid: uuidOf(level - 1), name, locators: beside(name)[level % 4] ?? [] };
    const habits = HABITS[level % HABITS.length] ?? {};
    const blockBytes = habits.blockBytes ?? 2 * MIB;
    folder.put(
      `level ${level}.vhd`,
      writeForeignVhd({
        content: own,
        kind: 'differencing',
        uuid: uuidOf(level),
        parent,
        hasSector,
        allocated,
        ...habits,
      }),
    );
    const content = Buffer.from(contents[level - 1] as Buffer);
    for (let sector = 0; sector * 512 < SIZE; sector++)
      if (hasSector(sector) && allocated(Math.floor((sector * 512) / blockBytes)))
        own.copy(content, sector * 512, sector * 512, sector * 512 + 512);
    contents.push(content);
  }
  return contents;
}

function sevenZip(path: string): Buffer {
  const ran = spawnSync('7z', ['x', '-tVHD', '-so', path], { maxBuffer: 64 * MIB });
  expect(ran.status, ran.stderr.toString()).toBe(0);
  return ran.stdout;
}
function expectContent(found: Buffer, content: Buffer, what: string): void {
  expect(sha(found.subarray(0, content.length)), what).toBe(sha(content));
  expect(found.subarray(content.length).every(byte => byte === 0)).toBe(true);
}

describe('a chain comes in with its history', () => {
  it.each([
    ['dynamic', {}],
    ['fixed', { kind: 'fixed' }],
  ] as const)(
    'on a %s base: T1, T4, T17: a point per image, oldest first, Now the newest',
    async (_, base) => {
      const contents = writeChain(6, base);
      const originals = contents.map((__, level) => sha(readFileSync(folder.file(`level ${level}.vhd`))));
      const vmId = await importChain('level 5.vhd');
      await ebb.settled(vmId);
      const { moments, nowParentId, nowBytes } = await ebb.call('timeline.get', { vmId });
      const oldestFirst = [...moments].sort((a, b) => a.takenAt - b.takenAt);
      expect(oldestFirst.map(({ name }) => name)).toEqual(contents.map((__, level) => `level ${level}`));
      const known: KnownPoint[] = [];
      oldestFirst.forEach((moment, level) => {
        expect(moment.parentId).toBe(oldestFirst[level - 1]?.id ?? null);
        const [point] = moment.points;
        expect(point?.form).toBe(level === contents.length - 1 ? 'root' : 'delta');
        const exact = Buffer.alloc(exactSize(SIZE));
        contents[level]?.copy(exact);
        known.push({ pointId: point?.pointId as PointId, sha256: sha(exact) });
        expect(point?.pointId).not.toBe(uuidOf(level));
      });
      const disk = join(ebb.paths.dataFolder, 'vms', vmId, 'disks', String(moments[0]?.points[0]?.diskId));
      console.info(await expectStrangersAgree(disk, known));
      expect(nowParentId).toBe(oldestFirst.at(-1)?.id);
      expect(nowBytes).toBeLessThan(MIB);
      expect(contents.map((__, level) => sha(readFileSync(folder.file(`level ${level}.vhd`))))).toEqual(
        originals,
      );
    },
  );

  it('without the word for it only its newest content comes, as one point', async () => {
    const contents = writeChain(3, {});
    const { file } = await ebb.call('file.register', { path: folder.file('level 2.vhd') });
    const { vmId, taskId } = await ebb.call('vm.create', {
      name: 'flat',
      os: 'other',
      cpus: 1,
      minKib: 128 * 1024,
      maxKib: 256 * 1024,
      source: { kind: 'disk', file, format: 'vhd' },
    });
    await ebb.done(taskId);
    const { moments } = await ebb.call('timeline.get', { vmId });
    const { diskId, pointId } = moments[0]?.points[0] ?? {};
    expect(moments).toHaveLength(1);
    const path = join(ebb.paths.dataFolder, 'vms', vmId, 'disks', String(diskId), `${pointId}.vhd`);
    // A stranger opens file after file; none changes its name once all is settled.
    await ebb.settled(vmId);
    expectContent(sevenZip(path), contents[2] as Buffer, 'flat');
  });
});

describe('a chain that is not whole, or made to harm, is refused and leaves nothing', () => {
  const child = (
    more: Partial<ForeignVhd>,
    parent: Partial<NonNullable<ForeignVhd['parent']>> = {},
  ): Buffer =>
    writeForeignVhd({
      content: randomBytes(4 * MIB, 9),
      kind: 'differencing',
      uuid: uuidOf(2),
      parent: { uuid: uuidOf(1), name: 'middle.vhd', ...parent },
      ...more,
    });
  const put = (files: Readonly<Record<string, Buffer>>): void => {
    for (const [name, bytes] of Object.entries(files)) folder.put(name, bytes);
  };
  const spoil = (bytes: Buffer, change: (bytes: Buffer) => unknown): Buffer => {
    change(bytes);
    return bytes;
  };
  const base = (more: Partial<ForeignVhd> = {}): Buffer =>
    writeForeignVhd({ content: randomBytes(4 * MIB, 8), uuid: uuidOf(1), ...more });

  const BAD: readonly (readonly [string, () => Readonly<Record<string, Buffer>>, string, RegExp])[] = [
    [
      'its parent is missing',
      () => ({ 'leaf.vhd': child({}, { name: 'not there.vhd' }) }),
      'vhd.parent-missing',
      /not there/,
    ],
    [
      'two images are each other’s parents',
      () => ({
        'leaf.vhd': child({}),
        'middle.vhd': child({ uuid: uuidOf(1) }, { uuid: uuidOf(2), name: 'leaf.vhd' }),
      }),
      'vhd.corrupt',
      /parent UUID is 2{8}.*expected an image that is not its own descendant/,
    ],
    [
      'an image is its own parent',
      () => ({ 'leaf.vhd': child({}, { uuid: uuidOf(2), name: 'leaf.vhd' }) }),
      'vhd.corrupt',
      /not its own descendant/,
    ],
    [
      'the parent is of another size',
      () => ({ 'leaf.vhd': child({}), 'middle.vhd': base({ content: randomBytes(5 * MIB, 8) }) }),
      'vhd.parent-mismatch',
      /size of the parent is 5242880 in middle\.vhd, expected 4194304/,
    ],
    [
      'another image has the parent’s name',
      () => ({ 'leaf.vhd': child({}), 'middle.vhd': base({ uuid: uuidOf(7) }) }),
      'vhd.parent-mismatch',
      /parent UUID is 7{8}/,
    ],
    [
      'a locator climbs out of the folder',
      () => ({ 'leaf.vhd': child({}, { locators: [{ code: 'W2ru', text: '..\\..\\etc\\shadow' }] }) }),
      'vhd.corrupt',
      /parent locator 0 \(W2ru\) is .*expected a file in the same folder/,
    ],
    [
      'a locator names a device',
      () => ({ 'leaf.vhd': child({}, { locators: [{ code: 'W2ku', text: '\\\\.\\PhysicalDrive0' }] }) }),
      'vhd.corrupt',
      /expected a file, not a device/,
    ],
    [
      'blocks of the parent overlap',
      () => ({
        'leaf.vhd': child({}),
        'middle.vhd': spoil(base(), bytes => bytes.copy(bytes, 1540, 1536, 1540)),
      }),
      'vhd.corrupt',
      /block position \(sector\).*overlap/,
    ],
    [
      'a block of the parent lies past its end',
      () => ({
        'leaf.vhd': child({}),
        'middle.vhd': spoil(base(), bytes => bytes.writeUInt32BE(0x7fffffff, 1536)),
      }),
      'vhd.corrupt',
      /end of a block \(byte\) is \d+, expected within/,
    ],
  ];

  it.each(BAD)('%s', async (_, make, code, says) => {
    for (const name of ['leaf.vhd', 'middle.vhd']) folder.put(name, Buffer.alloc(0));
    put(make());
    const homes = (): string[] => {
      const path = join(ebb.paths.dataFolder, 'vms');
      return existsSync(path) ? readdirSync(path).sort() : [];
    };
    const before = homes();
    const refusal = await importChain('leaf.vhd').catch((cause: unknown) => cause);
    expect(refusal).toBeInstanceOf(Fault);
    const { body } = refusal as Fault;
    expect(body).toMatchObject({ code });
    expect(body.what).toMatch(says);
    expect(homes()).toEqual(before);
  });

  it.each([
    ['a link that leads out of the folder', (path: string) => symlinkSync(elsewhere(), path)],
    ['a pipe, which nobody ever writes to', (path: string) => execFileSync('mkfifo', [path])],
    ['a folder', (path: string) => mkdirSync(path)],
    ['a device', (path: string) => symlinkSync('/dev/zero', path)],
  ])('what has the parent’s name is %s', async (_, make) => {
    const beside = folder.file('beside.vhd');
    put({ 'leaf.vhd': child({}, { name: 'beside.vhd' }) });
    make(beside);
    try {
      const refusal = await importChain('leaf.vhd').catch((cause: unknown) => cause);
      expect((refusal as Fault).body).toMatchObject({ code: 'vhd.parent-missing' });
    } finally {
      rmSync(beside, { recursive: true });
    }
  });
  /** The parent it asks for, whole, where it must not be taken from. */
  function elsewhere(): string {
    const path = join(ebb.paths.dataFolder, 'elsewhere.vhd');
    writeFileSync(path, base());
    return path;
  }

  it('a raw disk has no history', async () => {
    folder.put('some.img', randomBytes(MIB, 1));
    const refusal = await importChain('some.img', 'raw').catch((cause: unknown) => cause);
    expect((refusal as Fault).body).toMatchObject({ code: 'import.bad-format' });
  });
});
