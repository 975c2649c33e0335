// Other people's disks through the whole of Ebb: what is whole comes in bit by bit, what is not is refused in words and
// leaves nothing. No guest runs.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FileToken, TaskId, VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { DiskFormat } from '../../shared/vm.ts';
import { Ebb } from '../support/ebb.ts';
import { VhdFolder } from '../support/foreign-vhd.ts';
import { hostileQcow2, sparseVmdk, vmdkDescriptor, withVhdxParent } from '../support/hostile-images.ts';
import { randomBytes } from '../support/seeded.ts';
import { DEFAULT_UUID, type ForeignVhd, writeForeignVhd } from '../support/vhd-writer.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const SIZE = 12 * MIB + 512;
const CHILD_UUID = '99999999-2222-4333-8444-555555555555';
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let ebb: Ebb;
let folder: VhdFolder;
const content = randomBytes(SIZE, 31);
content.fill(0, 2 * MIB, 5 * MIB);
let names = 0;

beforeAll(async () => {
  ebb = await Ebb.start();
  folder = new VhdFolder();
});
afterAll(async () => {
  await ebb?.dispose();
  folder?.[Symbol.dispose]();
});

const createFrom = (file: FileToken, format: DiskFormat): Promise<{ vmId: VmId; taskId: TaskId }> =>
  ebb.call('vm.create', {
    name: `import ${++names}`,
    os: 'other',
    cpus: 1,
    minKib: 128 * 1024,
    maxKib: 256 * 1024,
    source: { kind: 'disk', file, format },
  });

async function importDisk(path: string, format: DiskFormat): Promise<VmId> {
  const { file } = await ebb.call('file.register', { path });
  const { vmId, taskId } = await createFrom(file, format);
  await ebb.done(taskId);
  return vmId;
}

/** What 7-Zip reads from the point an import left. */
async function imported(path: string, format: DiskFormat): Promise<Buffer> {
  const vmId = await importDisk(path, format);
  // The file is looked at while Ebb runs: until it is at rest, names come and go below it.
  await ebb.settled(vmId);
  const { moments } = await ebb.call('timeline.get', { vmId });
  const { diskId, pointId } = moments[0]?.points[0] ?? {};
  const file = join(ebb.paths.dataFolder, 'vms', vmId, 'disks', String(diskId), `${pointId}.vhd`);
  const ran = spawnSync('7z', ['x', '-tVHD', '-so', file], { maxBuffer: 64 * MIB });
  expect(ran.status, ran.stderr.toString()).toBe(0);
  return ran.stdout;
}

function expectContent(found: Buffer): void {
  expect(found.length).toBeGreaterThanOrEqual(content.length);
  expect(sha(found.subarray(0, content.length))).toBe(sha(content));
  expect(found.subarray(content.length).every(byte => byte === 0)).toBe(true);
}

const VHDS: readonly (Partial<ForeignVhd> & { readonly what: string })[] = [
  { what: 'a size that is no CHS product', creator: 'vpc ' },
  { what: 'a fixed one', kind: 'fixed' },
  {
    what: 'gaps, reverse order, 512 KiB blocks, a larger BAT, a batmap, no end footer',
    gap: place => 512 * (place % 5),
    order: blocks => blocks.reverse(),
    blockBytes: 512 * 1024,
    spareEntries: 300,
    batmap: true,
    creator: 'tap\0',
    endFooter: false,
  },
  { what: 'its head copy lost', headFooter: false },
];

describe('disks written by others come in bit by bit', () => {
  it.each(VHDS)('VHD: $what', async ({ what: _, ...vhd }) => {
    expectContent(await imported(folder.put('good.vhd', writeForeignVhd({ ...vhd, content })), 'vhd'));
  });

  it('VHD: a differencing one whose parent is beside it', async () => {
    const base = Buffer.from(content);
    const child = Buffer.alloc(SIZE);
    const hasSector = (sector: number): boolean => sector % 3 === 0;
    for (let at = 0; at < SIZE; at += 3 * 512) {
      content.copy(child, at, at, at + 512);
      base.fill(0xee, at, at + 512);
    }
    folder.put('parent.vhd', writeForeignVhd({ content: base }));
    const parent = { uuid: DEFAULT_UUID, name: 'C:\\VMs\\parent.vhd' };
    const bytes = writeForeignVhd({
      content: child,
      kind: 'differencing',
      uuid: CHILD_UUID,
      parent,
      hasSector,
      allocated: () => true,
    });
    expectContent(await imported(folder.put('child.vhd', bytes), 'vhd'));
  });

  it.each([
    ['raw', 'raw', []],
    ['qcow2', 'qcow2', []],
    ['qcow2', 'qcow2', ['-c']],
    ['vhdx', 'vhdx', []],
    ['vmdk', 'vmdk', []],
    ['vmdk', 'vmdk', ['-o', 'subformat=streamOptimized']],
    ['vhd', 'vpc', ['-o', 'force_size=on']],
    ['vhd', 'vpc', ['-o', 'subformat=fixed']],
  ] as const)('%s by qemu-img -O %s %j', async (format, driver, options) => {
    writeFileSync(folder.file('raw'), content);
    const path = folder.file(`by-qemu.${format}`);
    execFileSync('qemu-img', ['convert', '-f', 'raw', '-O', driver, ...options, folder.file('raw'), path]);
    expectContent(await imported(path, format));
  });
});

const whole = (): Buffer => writeForeignVhd({ content });
const spoiled = (change: (bytes: Buffer) => unknown): Buffer => {
  const bytes = whole();
  change(bytes);
  return bytes;
};
const convert = (driver: string, options: readonly string[] = []): Buffer => {
  writeFileSync(folder.file('raw'), content);
  execFileSync('qemu-img', [
    'convert',
    '-f',
    'raw',
    '-O',
    driver,
    ...options,
    folder.file('raw'),
    folder.file('bad'),
  ]);
  return readFileSync(folder.file('bad'));
};
const differencing = (): Buffer =>
  writeForeignVhd({
    content,
    kind: 'differencing',
    uuid: CHILD_UUID,
    parent: {
      uuid: DEFAULT_UUID,
      name: 'lost base.vhd',
      locators: [{ code: 'W2ru', text: '.\\lost base.vhd' }],
    },
  });

interface Bad {
  readonly what: string;
  readonly format: DiskFormat;
  readonly make: () => Uint8Array | string;
  readonly code: string;
  readonly says: RegExp;
  readonly data?: ReturnType<typeof field>;
}

const field = (name: string, found: unknown, expected: unknown) => ({ field: name, found, expected });

const BAD: readonly Bad[] = [
  {
    what: 'a truncated VHD',
    format: 'vhd',
    make: () => whole().subarray(0, 5 * MIB),
    code: 'vhd.corrupt',
    says: /end of a block \(byte\) is \d+, expected within the \d+ bytes before the end: it is truncated/,
  },
  {
    what: 'a VHD cut to nothing',
    format: 'vhd',
    make: () => whole().subarray(0, 100),
    code: 'vhd.corrupt',
    says: /file size is 100, expected at least 512/,
  },
  {
    what: 'a VHD with a damaged header',
    format: 'vhd',
    make: () => spoiled(bytes => bytes.writeUInt8(7, 700)),
    code: 'vhd.corrupt',
    says: /header checksum is \d+, expected \d+/,
  },
  {
    what: 'a differencing VHD without its parent',
    format: 'vhd',
    make: differencing,
    code: 'vhd.parent-missing',
    says: /its parent "lost base\.vhd", UUID 11111111-2222-4333-8444-555555555555, which is not in the same folder/,
  },
  {
    what: 'qcow2 said to be raw',
    format: 'raw',
    make: () => convert('qcow2'),
    code: 'import.bad-format',
    says: /mark of a qcow2 image, expected none/,
  },
  {
    what: 'a fixed VHD said to be raw',
    format: 'raw',
    make: () => writeForeignVhd({ content, kind: 'fixed' }),
    code: 'import.bad-format',
    says: /mark of a vhd image/,
  },
  {
    what: 'raw said to be qcow2',
    format: 'qcow2',
    make: () => content,
    code: 'import.bad-format',
    says: /does not begin as a qcow2 image does/,
  },
  {
    what: 'raw said to be VHD',
    format: 'vhd',
    make: () => content,
    code: 'vhd.corrupt',
    says: /footer cookie is .*, expected conectix/,
  },
  {
    what: 'VHDX said to be VMDK',
    format: 'vmdk',
    make: () => convert('vhdx'),
    code: 'import.bad-format',
    says: /mark of a vhdx image, expected vmdk/,
  },
  ...(['raw', 'qcow2'] as const).map(format => ({
    what: `an empty ${format} file`,
    format,
    make: () => new Uint8Array(),
    code: 'import.bad-format',
    says: /is empty: 0 bytes/,
  })),
  {
    what: 'a truncated qcow2',
    format: 'qcow2',
    make: () => convert('qcow2').subarray(0, 300),
    code: 'import.bad-format',
    says: /is not a whole qcow2 image/,
  },
  {
    what: 'a qcow2 that breaks off in the middle of the copy',
    format: 'qcow2',
    make: () => hostileQcow2({ virtualBytes: GIB, allTheSame: true, l2Skew: 512 }),
    code: 'import.bad-format',
    says: /is not a whole qcow2 image|could not be copied/,
  },
  {
    what: 'a qcow2 with a backing file',
    format: 'qcow2',
    make: () => hostileQcow2({ virtualBytes: GIB, backing: '/etc/hostname' }),
    code: 'import.refused',
    says: /backing file is "\/etc\/hostname", expected none/,
    data: field('backing file', '"/etc/hostname"', 'none'),
  },
  {
    what: 'a qcow2 with an external data file',
    format: 'qcow2',
    make: () => hostileQcow2({ virtualBytes: GIB, dataFile: true }),
    code: 'import.refused',
    says: /external data file/,
    data: field('incompatible features', '4 (external data file)', 'no data file'),
  },
  {
    what: 'a VMDK that is a descriptor of one other file',
    format: 'vmdk',
    make: () => vmdkDescriptor('RW 2048 FLAT "/etc/hostname" 0'),
    code: 'import.refused',
    says: /expected a single sparse file/,
    data: field('VMDK kind', '"# Disk DescriptorFil"', 'a single sparse file (KDMV)'),
  },
  {
    what: 'a sparse VMDK whose descriptor lists another file',
    format: 'vmdk',
    make: () => sparseVmdk({ descriptor: vmdkDescriptor('RW 2048 FLAT "/etc/hostname" 0') }),
    code: 'import.refused',
    says: /extent is "RW 2048 FLAT .*etc\/hostname/,
    data: field('extent', JSON.stringify('RW 2048 FLAT "/etc/hostname" 0'), 'one of kind SPARSE'),
  },
  {
    what: 'a sparse VMDK that is only its descriptor',
    format: 'vmdk',
    make: () => sparseVmdk({ descriptor: vmdkDescriptor('RW 2048 FLAT "/etc/hostname" 0'), capacity: 0n }),
    code: 'import.refused',
    says: /capacity is 0/,
    data: field('VMDK capacity', '0', 'the sectors of the disk'),
  },
  {
    what: 'a sparse VMDK with a parent that its header hides',
    format: 'vmdk',
    make: () => sparseVmdk({ descriptor: 'parentFileNameHint="/etc/hostname"\n', isHidden: true }),
    code: 'import.refused',
    says: /parentFileNameHint/,
    data: field('parentFileNameHint', JSON.stringify('parentFileNameHint="/etc/hostname"'), 'none'),
  },
  {
    what: 'a VHDX with a parent',
    format: 'vhdx',
    make: () => withVhdxParent(convert('vhdx')),
    code: 'import.refused',
    says: /file parameters is a parent, expected no parent/,
  },
  {
    what: 'T15: a qcow2 of 4 EiB',
    format: 'qcow2',
    make: () => hostileQcow2({ virtualBytes: 2n ** 62n }),
    code: 'import.bad-format|disk.too-large',
    says: /expected at most|is not a whole qcow2 image/,
  },
  {
    what: 'T15: a qcow2 of 3 TiB',
    format: 'qcow2',
    make: () => hostileQcow2({ virtualBytes: 3 * 2 ** 40 }),
    code: 'disk.too-large',
    says: /3298534883328 bytes, expected at most 2190433320960/,
    data: field('virtual size', 3_298_534_883_328, 'at most 2190433320960'),
  },
  {
    what: 'T14: a disk of 2000 GiB in 12 MiB, more than is free',
    format: 'qcow2',
    make: () => hostileQcow2({ virtualBytes: 2000 * GIB, allTheSame: true }),
    code: 'disk.full',
    says: /needs 2048\d{3} MiB; \d+ MiB are free/,
  },
];

describe('what is not whole or not its own is refused and leaves nothing', () => {
  it.each(BAD)('$what', async ({ format, make, code, says, data }) => {
    const path = folder.put('bad-image', Buffer.from(make()));
    const before = sha(readFileSync(path));
    const [vms, homes, runs] = [await listVms(), listHomes(), listRuns()];
    const cause = await importDisk(path, format).then(
      () => null,
      (error: unknown) => error,
    );
    expect(cause).toBeInstanceOf(Fault);
    const { body } = cause as Fault;
    expect(body.code).toMatch(new RegExp(`^(?:${code})$`));
    expect(body.what).toMatch(says);
    expect(body.what).not.toContain(folder.path);
    expect(body.safe).toMatch(/\w/);
    expect(body.todo).toMatch(/\w/);
    // A tool's words name no field, nor does what is lost or too much.
    const any = field(expect.stringMatching(/\w/), expect.anything(), expect.anything());
    const isFieldless = /is not a whole|could not be copied|is not in the same folder|are free/.test(
      body.what,
    );
    if (!isFieldless) expect(body.data).toMatchObject(any);
    if (data !== undefined) expect(body.data).toEqual({ file: 'bad-image', ...data });
    // Nothing half-made, the original as it was, and control is there.
    expect(await listVms()).toEqual(vms);
    expect(listHomes()).toEqual(homes);
    expect(listRuns()).toEqual(runs);
    expect(sha(readFileSync(path))).toBe(before);
    expect((await ebb.call('app.info', {})).pid).toBe(ebb.controlPid());
  });

  it('an image that changes after it was chosen is not taken for what was chosen', async () => {
    const path = folder.put('shrinking', convert('qcow2'));
    const { file } = await ebb.call('file.register', { path });
    truncateSync(path, 70_000);
    await expectChanged(createFrom(file, 'qcow2'));
  });

  it('nor is one that changes while it is copied', async () => {
    const path = folder.put('written', Buffer.alloc(192 * MIB, 0x55));
    const { file } = await ebb.call('file.register', { path });
    const { taskId } = await createFrom(file, 'raw');
    appendFileSync(path, 'x');
    await expectChanged(ebb.done(taskId));
  });
});

async function expectChanged(work: Promise<unknown>): Promise<void> {
  const before = listHomes().filter(name => !name.startsWith('.'));
  await expect(work).rejects.toMatchObject({ body: { code: 'import.changed' } });
  expect(listHomes().length).toBeLessThanOrEqual(before.length);
  expect((await listVms()).length).toBe(listHomes().length);
}
const listVms = async (): Promise<string[]> =>
  (await ebb.call('vm.list', {})).vms.map(({ spec }) => spec.name).sort();
const list = (path: string): string[] => (existsSync(path) ? readdirSync(path).sort() : []);
const listHomes = (): string[] => list(join(ebb.paths.dataFolder, 'vms'));
const listRuns = (): string[] => list(ebb.paths.runFolder).filter(name => name.startsWith('vm-'));
