// VHDs made to harm: each refused with the field, what was found and what was expected, before memory is given to what it
// promises; and whatever else is spoiled in one, nothing but a refusal or its own bytes comes of it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { BlockFile } from '../../../../electron/platform/ports.ts';
import { CHAIN_MAX, openAlone, openChain } from '../../../../electron/storage/vhd/chain.ts';
import { Fault } from '../../../../shared/result.ts';
import { randomBytes, Seeded } from '../../../support/seeded.ts';
import { type ForeignVhd, seal, writeForeignVhd } from '../../../support/vhd-writer.ts';

const MIB = 2 ** 20;
const UUID = '22222222-2222-4333-8444-555555555555';
const PARENT = '33333333-2222-4333-8444-555555555555';

function memoryFile(name: string, bytes: Buffer): BlockFile {
  const no = (): never => {
    throw new Error('an original is only read');
  };
  return {
    name,
    read: (target, offset) => {
      target.fill(0);
      if (offset < bytes.length) target.set(bytes.subarray(offset, offset + target.length));
    },
    write: no,
    sync: no,
    sizeBytes: () => bytes.length,
    allocatedBytes: () => bytes.length,
    truncate: no,
    punch: no,
    cloneFrom: no,
    readLater: no,
    dropCache: async () => true,
    close: () => undefined,
  };
}
const opener = (files: Readonly<Record<string, Buffer>>) => (name: string) => {
  const bytes = files[name];
  return bytes === undefined ? null : memoryFile(name, bytes);
};

/** Without an end footer, so that the one that is spoiled is the one that counts. */
const whole = (more: Partial<ForeignVhd> = {}): Buffer =>
  writeForeignVhd({ content: randomBytes(5 * MIB, 3), uuid: UUID, endFooter: false, ...more });
const child = (more: Partial<NonNullable<ForeignVhd['parent']>> = {}): Buffer =>
  whole({ kind: 'differencing', parent: { uuid: PARENT, name: 'base.vhd', ...more } });
function footer(bytes: Buffer, change: (footer: Buffer) => unknown): Buffer {
  change(bytes);
  seal(bytes.subarray(0, 512), 64);
  return bytes;
}
function header(bytes: Buffer, change: (header: Buffer) => unknown): Buffer {
  change(bytes.subarray(512, 1536));
  seal(bytes.subarray(512, 1536), 36);
  return bytes;
}
const locator = (code: string, text: string): Buffer => child({ locators: [{ code, text }] });

const BAD: readonly (readonly [what: string, make: () => Buffer, says: RegExp])[] = [
  [
    'a BAT of 4 billion entries',
    () => header(whole(), h => h.writeUInt32BE(0xffffffff, 28)),
    /BAT entries is 4294967295, expected 1 … 4194304/,
  ],
  [
    'a BAT of 4 million entries in 5 MiB',
    () => header(whole(), h => h.writeUInt32BE(2 ** 22, 28)),
    /BAT end is \d+, expected within the \d+ bytes/,
  ],
  [
    'a BAT too short for the disk',
    () => header(whole(), h => h.writeUInt32BE(1, 28)),
    /BAT entries is 1, expected at least 3/,
  ],
  [
    'a BAT above 2^53',
    () => header(whole(), h => h.writeBigUInt64BE(2n ** 60n, 16)),
    /BAT offset is 1152921504606846976, expected ≥ 1536/,
  ],
  [
    'a BAT inside the headers',
    () => header(whole(), h => h.writeBigUInt64BE(512n, 16)),
    /BAT offset is 512, expected ≥ 1536/,
  ],
  [
    'blocks of 2 GiB',
    () => header(whole(), h => h.writeUInt32BE(2 ** 31, 32)),
    /block size is 2147483648, expected a power of two/,
  ],
  [
    'blocks of 3 MiB',
    () => header(whole(), h => h.writeUInt32BE(3 * MIB, 32)),
    /block size is 3145728, expected a power of two/,
  ],
  [
    'a header above 2^53',
    () => footer(whole(), f => f.writeBigUInt64BE(2n ** 63n, 16)),
    /data offset is .*, expected whole sectors within the file/,
  ],
  [
    'a header past the end',
    () => footer(whole(), f => f.writeBigUInt64BE(BigInt(64 * MIB), 16)),
    /data offset is 67108864, expected whole sectors within the file/,
  ],
  [
    'a disk of 8 EiB',
    () => footer(whole(), f => f.writeBigUInt64BE(2n ** 63n, 48)),
    /current size is 9223372036854775808, expected/,
  ],
  [
    'a disk of 3 TiB',
    () => footer(whole(), f => f.writeBigUInt64BE(3n * 2n ** 40n, 48)),
    /current size is 3298534883328, expected at most 2190433320960 \(2040 GiB\)/,
  ],
  [
    'a disk of nothing',
    () => footer(whole(), f => f.writeBigUInt64BE(0n, 48)),
    /current size is 0, expected a positive multiple/,
  ],
  [
    'half a sector',
    () => footer(whole(), f => f.writeBigUInt64BE(BigInt(MIB + 256), 48)),
    /current size is 1048832, expected a positive multiple of 512/,
  ],
  [
    'a kind nobody knows',
    () => footer(whole(), f => f.writeUInt32BE(7, 60)),
    /disk type is 7, expected 2, 3 or 4/,
  ],
  [
    'two blocks in one place',
    () => {
      const bytes = whole();
      bytes.copy(bytes, 1540, 1536, 1540);
      return bytes;
    },
    /block position \(sector\) is \d+, expected ≥ \d+: blocks or metadata overlap/,
  ],
  [
    'a block over the BAT',
    () => {
      const bytes = whole();
      bytes.writeUInt32BE(3, 1536);
      return bytes;
    },
    /block position \(sector\) is 3, expected ≥ \d+/,
  ],
  [
    'a block at the 2 TiB mark',
    () => {
      const bytes = whole();
      bytes.writeUInt32BE(0xfffffffe, 1536);
      return bytes;
    },
    /end of a block \(byte\) is \d+, expected within the \d+ bytes/,
  ],
  [
    'a checksum that is not',
    () => {
      const bytes = whole();
      bytes.writeUInt32BE(1, 512 + 36);
      return bytes;
    },
    /header checksum is 1, expected \d+/,
  ],
  [
    'a fixed disk longer than its file',
    () => {
      const bytes = whole({ kind: 'fixed', endFooter: true });
      const end = bytes.subarray(bytes.length - 512);
      end.writeBigUInt64BE(BigInt(900 * MIB), 48);
      seal(end, 64);
      return bytes;
    },
    /current size is 943718400, expected at most the 5242880 bytes/,
  ],
  [
    'a parent of no UUID',
    () => child({ uuid: '00000000-0000-0000-0000-000000000000' }),
    /parent UUID is 0{8}.*, expected the UUID of a parent/,
  ],
  [
    'itself as its parent',
    () => child({ uuid: UUID }),
    /parent UUID is 2{8}.*, expected an image that is not its own descendant/,
  ],
  [
    'a locator out of the folder',
    () => locator('W2ru', '.\\..\\..\\base.vhd'),
    /parent locator 0 \(W2ru\) is .*, expected a file in the same folder/,
  ],
  [
    'a locator into a folder',
    () => locator('W2ru', '.\\sub\\base.vhd'),
    /expected a file in the same folder/,
  ],
  ['a locator to a device', () => locator('W2ku', '\\\\.\\PhysicalDrive0'), /expected a file, not a device/],
  ['a locator to /dev', () => locator('MacX', 'file:///dev/sda'), /expected a file, not a device/],
  ['a locator to a DOS device', () => locator('W2ru', '.\\nul.vhd'), /expected a file, not a device/],
  ['a locator to a URL', () => locator('MacX', 'http://example.com/base.vhd'), /expected a/],
  [
    'a locator to a stream of a file',
    () => locator('W2ru', '.\\base.vhd:hidden'),
    /expected a plain file name/,
  ],
  [
    'a locator longer than its space',
    () => header(locator('W2ru', '.\\base.vhd'), h => h.writeUInt32BE(60_000, 576 + 8)),
    /parent locator 0 length is 60000, expected at most 512/,
  ],
  [
    'a locator above 2^53',
    () => header(locator('W2ru', '.\\base.vhd'), h => h.writeBigUInt64BE(2n ** 62n, 576 + 16)),
    /parent locator 0 place is 4611686018427387904 \+ \d+, expected within the file/,
  ],
  [
    'a header name out of the folder',
    () => child({ name: '..\\base.vhd' }),
    /parent name is .*, expected a file in the same folder/,
  ],
];

/** Those that promise most: who believed one would take hundreds of MiB, and more. */
const GREEDY: ReadonlySet<string> = new Set([
  'a BAT of 4 billion entries',
  'a BAT of 4 million entries in 5 MiB',
  'blocks of 2 GiB',
  'a disk of 8 EiB',
  'a disk of 3 TiB',
  'a fixed disk longer than its file',
  'a locator longer than its space',
]);
const READER = fileURLToPath(new URL('../../../../electron/storage/vhd/main.ts', import.meta.url));
/** Of itself alone, at its end: what a process has used at most is gone with it. */
const AT_EXIT = `data:text/javascript,${encodeURIComponent(
  "import { readFileSync } from 'node:fs'; process.on('exit', () => process.stderr.write(readFileSync('/proc/self/status')));",
)}`;

describe('a VHD made to harm is refused by field, found and expected', () => {
  it.each(BAD)('%s', (what, make, says) => {
    const bytes = make();
    for (const open of [openChain, openAlone]) {
      // Of itself as a parent only the chain knows.
      if (open === openAlone && what === 'itself as its parent') continue;
      let refusal: unknown = null;
      try {
        open('a.vhd', opener({ 'a.vhd': bytes }));
      } catch (cause) {
        refusal = cause;
      }
      expect(refusal).toBeInstanceOf(Fault);
      const { body } = refusal as Fault;
      expect(body).toMatchObject({ code: 'vhd.corrupt', data: { field: expect.any(String) } });
      expect(body.what).toMatch(says);
      expect(body.data).toHaveProperty('found');
      expect(body.data).toHaveProperty('expected');
    }
  });

  it('by the reader’s own process, whose memory never peaks above what a whole image takes', {
    timeout: 60_000,
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'ebb-hostile-'));
    const peakOf = (bytes: Buffer, file = 'a.vhd'): { answer: unknown; peak: number } => {
      if (bytes.length > 0) writeFileSync(join(folder, file), bytes);
      const args = ['--import', AT_EXIT, READER, '--file', join(folder, file)];
      const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      const peak = Number(/VmHWM:\s+(\d+) kB/.exec(stderr)?.[1]) * 1024;
      return { answer: JSON.parse(stdout), peak };
    };
    try {
      const usual = peakOf(whole());
      expect(usual.answer).toMatchObject({ virtualBytes: 5 * MIB });
      const peaks = BAD.filter(([what]) => GREEDY.has(what)).map(([what, make]) => {
        const { answer, peak } = peakOf(make());
        expect(answer, what).toMatchObject({ fault: { data: { field: expect.any(String) } } });
        return [what, peak - usual.peak] as const;
      });
      expect(peaks).toHaveLength(GREEDY.size);
      const most = Math.max(...peaks.map(([, more]) => more));
      console.info(
        `hostile VHDs: their reader peaks at most ${Math.round(most / MIB)} MiB above a whole one's`,
      );
      expect(peaks.filter(([, more]) => !(more < 12 * MIB))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('a chain without end is cut off at its limit', () => {
    const uuidOf = (level: number): string =>
      `${level.toString(16).padStart(8, '0')}-2222-4333-8444-555555555555`;
    const content = randomBytes(4096, 1);
    let opened = 0;
    const open = (name: string): BlockFile => {
      const level = Number(name.replace('.vhd', ''));
      opened++;
      const parent = { uuid: uuidOf(level + 1), name: `${level + 1}.vhd` };
      return memoryFile(
        name,
        writeForeignVhd({ content, kind: 'differencing', uuid: uuidOf(level), parent, blockBytes: 4096 }),
      );
    };
    expect(() => openChain('1.vhd', open)).toThrow(new RegExp(`longer than ${CHAIN_MAX}`));
    expect(opened).toBe(CHAIN_MAX);
  });

  it('a chain whose block tables together promise more than a host should hold is cut off before its next image', () => {
    const uuidOf = (level: number): string => `${String(level).padStart(8, '0')}-2222-4333-8444-555555555555`;
    const content = randomBytes(4096, 1);
    const entries = 2 ** 22;
    const asked: string[] = [];
    const open = (name: string): BlockFile => {
      const level = Number(name.replace('.vhd', ''));
      asked.push(name);
      const parent = { uuid: uuidOf(level + 1), name: `${level + 1}.vhd` };
      // The ninth alone has the largest table there may be: nine of them are beyond the limit, eight are not.
      const blockBytes = level === 9 ? 4096 : 2 * MIB;
      const spareEntries = (entries * 4096) / blockBytes - 1;
      const vhd = { content, uuid: uuidOf(level), blockBytes, spareEntries, endFooter: false };
      const bytes = writeForeignVhd({ ...vhd, kind: 'differencing', parent });
      return memoryFile(
        name,
        footer(bytes, raw => raw.writeBigUInt64BE(BigInt(entries * 4096), 48)),
      );
    };
    expect(() => openChain('1.vhd', open)).toThrow(
      new RegExp(`BAT entries of its chain is ${9 * entries}, expected at most ${2 ** 25}`),
    );
    expect(asked.at(-1)).toBe('9.vhd');
  });

  it('whatever byte of its metadata is another: a refusal, or bytes of its own', () => {
    const random = new Seeded(99);
    let [refused, read] = [0, 0];
    const small = { content: randomBytes(MIB, 4), blockBytes: 128 * 1024 };
    const template = whole({ ...small, kind: 'differencing', parent: { uuid: PARENT, name: 'base.vhd' } });
    const base = whole({ ...small, uuid: PARENT });
    for (let round = 0; round < 1500; round++) {
      const bytes = Buffer.from(template);
      for (let count = 1 + random.below(3); count > 0; count--) bytes[random.below(2560)] = random.below(256);
      // Half of them with checksums that hold: made by somebody who knows the format.
      if (random.below(2) === 0) {
        seal(bytes.subarray(0, 512), 64);
        seal(bytes.subarray(512, 1536), 36);
      }
      try {
        const disk = openChain('a.vhd', opener({ 'a.vhd': bytes, 'base.vhd': base }));
        const target = Buffer.alloc(Math.min(disk.sizeBytes, MIB));
        disk.read(target, 0);
        disk.extents(0, target.length, 1000);
        read++;
      } catch (cause) {
        if (!(cause instanceof Fault)) throw cause;
        refused++;
      }
    }
    console.info(`spoiled VHDs: ${refused} refused, ${read} read, 0 wrong of ${refused + read}`);
    expect(refused).toBeGreaterThan(100);
    expect(read).toBeGreaterThan(100);
  });
});
