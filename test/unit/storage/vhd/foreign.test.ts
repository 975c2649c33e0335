// Disks written by others: qemu-img's own, and by an independent writer everything the world is known to write. What we
// read is compared with what was written and with what 7-Zip and qemu-img read.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VhdFolder } from '../../../support/foreign-vhd.ts';
import { randomBytes, Seeded } from '../../../support/seeded.ts';
import { type ForeignVhd, writeForeignVhd } from '../../../support/vhd-writer.ts';

const MIB = 2 ** 20;
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Random data with holes of whole blocks and of a few sectors. */
function disk(sizeBytes: number, seed: number): Buffer {
  const bytes = randomBytes(sizeBytes, seed);
  const random = new Seeded(seed);
  for (let at = 0; at < sizeBytes; at += 2 * MIB) {
    if (random.below(3) === 0) bytes.fill(0, at, Math.min(sizeBytes, at + 2 * MIB));
    else bytes.fill(0, at + 512 * random.below(100), at + 512 * (100 + random.below(100)));
  }
  return bytes;
}

const read7z = (path: string): Buffer => {
  const ran = spawnSync('7z', ['x', '-tVHD', '-so', path], { maxBuffer: 64 * MIB });
  expect(ran.status, ran.stderr.toString()).toBe(0);
  return ran.stdout;
};
function readQemu(folder: VhdFolder, path: string): Buffer {
  const options = `driver=vpc,force_size_calc=current_size,file.filename=${path}`;
  execFileSync('qemu-img', ['convert', '--image-opts', '-O', 'raw', options, folder.file('qemu.raw')]);
  return readFileSync(folder.file('qemu.raw'));
}

type Reader = '7z' | 'qemu';
interface Case extends Partial<ForeignVhd> {
  readonly what: string;
  /** Who else reads it; the others are known not to (research: the reader matrix). */
  readonly readers: readonly Reader[];
}

const SIZE = 17 * MIB + 3 * 512;
const CASES: readonly Case[] = [
  { what: 'dynamic, its size no CHS product', readers: ['7z', 'qemu'] },
  { what: 'fixed', kind: 'fixed', readers: ['7z', 'qemu'] },
  { what: 'without an end footer', endFooter: false, readers: ['qemu'] },
  { what: 'with the 511-byte end footer of old', endFooter: 'short', readers: ['qemu'] },
  { what: 'with its head copy overwritten', headFooter: false, readers: [] },
  { what: 'fixed, with the 511-byte footer of old', kind: 'fixed', endFooter: 'short', readers: [] },
  { what: 'with gaps between blocks', gap: place => 512 * (1 + place * 7), readers: ['7z', 'qemu'] },
  { what: 'with data aligned to 4 KiB', gap: () => 3584, readers: ['7z', 'qemu'] },
  { what: 'with blocks in reverse order', order: blocks => blocks.reverse(), readers: ['7z', 'qemu'] },
  { what: 'with blocks of 512 KiB', blockBytes: 512 * 1024, readers: ['7z', 'qemu'] },
  { what: 'with blocks of 64 KiB', blockBytes: 64 * 1024, readers: ['qemu'] },
  { what: 'with blocks of 16 MiB', blockBytes: 16 * MIB, readers: ['qemu'] },
  { what: 'with more BAT entries than blocks', spareEntries: 5000, readers: ['qemu'] },
  { what: "with blktap's batmap", batmap: true, creator: 'tap\0', readers: ['7z', 'qemu'] },
  { what: 'with its last block cut off at the end of the disk', cutLastBlock: true, readers: [] },
];

describe('disks written by others', () => {
  it.each(CASES)('$what', ({ what: _, readers, ...vhd }) => {
    using folder = new VhdFolder();
    const content = disk(SIZE, 3);
    const path = folder.put('a.vhd', writeForeignVhd({ ...vhd, content }));
    expect(sha(folder.content('a.vhd'))).toBe(sha(content));
    if (readers.includes('7z')) expect(sha(read7z(path)), '7-Zip').toBe(sha(content));
    if (readers.includes('qemu')) expect(sha(readQemu(folder, path)), 'qemu-img').toBe(sha(content));
  });

  it('a sector under a clear bit is zero, whatever lies there, as the specification says', () => {
    using folder = new VhdFolder();
    const content = disk(4 * MIB, 4);
    const hasSector = (sector: number): boolean => sector % 5 !== 0;
    folder.put('a.vhd', writeForeignVhd({ content, hasSector, junk: 0x77 }));
    for (let sector = 0; sector < content.length / 512; sector += 5)
      content.fill(0, sector * 512, sector * 512 + 512);
    expect(sha(folder.content('a.vhd'))).toBe(sha(content));
  });

  it.each([
    ['dynamic', []],
    ['dynamic', ['force_size=on']],
    ['fixed', ['subformat=fixed']],
    ['fixed', ['subformat=fixed', 'force_size=on']],
  ] as const)("qemu-img's %s with %j", (_kind, options) => {
    using folder = new VhdFolder();
    const content = disk(33 * MIB, 5);
    writeFileSync(folder.file('raw'), content);
    const more = options.length === 0 ? [] : ['-o', options.join(',')];
    execFileSync('qemu-img', [
      'convert',
      '-f',
      'raw',
      '-O',
      'vpc',
      ...more,
      folder.file('raw'),
      folder.file('a.vhd'),
    ]);
    const found = folder.content('a.vhd');
    expect(found.length).toBeGreaterThanOrEqual(content.length);
    expect(sha(found.subarray(0, content.length))).toBe(sha(content));
    expect(found.subarray(content.length).every(byte => byte === 0)).toBe(true);
    expect(sha(read7z(folder.file('a.vhd')))).toBe(sha(found));
    truncateSync(folder.file('raw'), 0);
  });

  it('extents are zero exactly where no image has a sector', () => {
    using folder = new VhdFolder();
    const content = disk(12 * MIB, 6);
    const hasSector = (sector: number): boolean => sector % 1000 > 10;
    folder.put('a.vhd', writeForeignVhd({ content, hasSector, allocated: block => block !== 2 }));
    const opened = folder.open('a.vhd');
    const extents = opened.extents(0, content.length, 10_000);
    opened.close();
    let at = 0;
    for (const { length, state } of extents) {
      for (let sector = at / 512; sector < (at + length) / 512; sector++)
        expect(state, `sector ${sector}`).toBe(
          hasSector(sector) && Math.floor(sector / 4096) !== 2 ? 'data' : 'zero',
        );
      at += length;
    }
    expect(at).toBe(content.length);
  });
});

const uuid = (digit: number): string => `${String(digit).repeat(8)}-2222-4333-8444-555555555555`;

describe('chains written by others', () => {
  const LOCATORS: readonly {
    readonly what: string;
    readonly locators: readonly { code: string; text: string }[];
  }[] = [
    { what: 'the name alone', locators: [] },
    {
      what: 'locators in the order of Windows',
      locators: [
        { code: 'W2ru', text: '.\\base.vhd' },
        { code: 'W2ku', text: 'C:\\VMs\\of somebody\\base.vhd' },
      ],
    },
    {
      what: "locators in blktap's order, relative in all three",
      locators: [
        { code: 'MacX', text: 'file://./base.vhd' },
        { code: 'W2ku', text: '.\\base.vhd' },
        { code: 'W2ru', text: '.\\base.vhd' },
      ],
    },
    {
      what: 'unknown and deprecated ones between',
      locators: [
        { code: 'zzzz', text: '../../nonsense' },
        { code: 'Wi2r', text: '.\\other.vhd' },
        { code: 'MacX', text: 'file:///Users/x/base.vhd' },
        { code: 'W2ku', text: '\\\\?\\D:\\base.vhd' },
      ],
    },
    { what: 'a share', locators: [{ code: 'W2ku', text: '\\\\server\\share\\base.vhd' }] },
  ];

  it.each(LOCATORS)('$what', ({ locators }) => {
    using folder = new VhdFolder();
    const base = disk(9 * MIB, 7);
    const child = disk(9 * MIB, 8);
    const hasSector = (sector: number): boolean => sector % 7 < 3;
    folder.put('base.vhd', writeForeignVhd({ content: base, uuid: uuid(1) }));
    const parent = { uuid: uuid(1), name: 'base.vhd', locators };
    const path = folder.put(
      'child.vhd',
      writeForeignVhd({
        content: child,
        kind: 'differencing',
        uuid: uuid(2),
        parent,
        hasSector,
        allocated: block => block !== 1,
      }),
    );
    const expected = Buffer.from(base);
    for (let sector = 0; sector < expected.length / 512; sector++)
      if (hasSector(sector) && Math.floor(sector / 4096) !== 1)
        child.copy(expected, sector * 512, sector * 512, sector * 512 + 512);
    expect(sha(folder.content('child.vhd'))).toBe(sha(expected));
    expect(sha(read7z(path)), '7-Zip').toBe(sha(expected));
  });

  it('of different block sizes, with locator spaces in sectors, five deep', () => {
    using folder = new VhdFolder();
    const expected = disk(5 * MIB, 20);
    folder.put('0.vhd', writeForeignVhd({ content: expected, kind: 'fixed', uuid: uuid(0) }));
    for (let level = 1; level <= 5; level++) {
      const content = disk(5 * MIB, 20 + level);
      const hasSector = (sector: number): boolean => sector % (level + 5) === level;
      const locators = [{ code: 'W2ru', text: `.\\${level - 1}.vhd`, spaceInSectors: level % 2 === 0 }];
      const parent = { uuid: uuid(level - 1), name: '', locators };
      const blockBytes = 2 ** (17 + level);
      folder.put(
        `${level}.vhd`,
        writeForeignVhd({
          content,
          kind: 'differencing',
          uuid: uuid(level),
          parent,
          hasSector,
          blockBytes,
          allocated: () => true,
        }),
      );
      for (let sector = 0; sector < expected.length / 512; sector++)
        if (hasSector(sector)) content.copy(expected, sector * 512, sector * 512, sector * 512 + 512);
    }
    expect(sha(folder.content('5.vhd'))).toBe(sha(expected));
  });
});
