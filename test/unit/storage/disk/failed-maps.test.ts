// T10, T14: maps that cannot be written. What is on the disk then names nothing that a power cut takes.
import { expect, it } from 'vitest';
import type { Folder } from '../../../../electron/platform/ports.ts';
import { Image } from '../../../../electron/storage/disk/image.ts';
import { Leaf } from '../../../../electron/storage/disk/leaf.ts';
import type { DiskId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { microtasks, pump } from '../../../sim/storage/pump.ts';
import { Seeded } from '../../../support/seeded.ts';

const DISK = '00000000-0000-4000-8000-000000000001' as DiskId;
const UUID = '00000000-0000-4000-8000-000000000002';
const PARENT = '00000000-0000-4000-8000-000000000003';
const NAME = `${UUID}.vhd`;
const UNIT = 4096;
const BAT = 1536;

function imageIn(folder: Folder, { blockBytes, blocks }: { blockBytes: number; blocks: number }): Image {
  return Image.create(folder.open(NAME, 'create'), {
    uuid: UUID,
    virtualBytes: blocks * blockBytes,
    blockBytes,
    parent: { uuid: PARENT, name: `${PARENT}.vhd` },
    timestampMs: 0,
    isLeaf: false,
  });
}

/** Its writes fail where `why` says so of their place. */
function spoil({ file }: Image, why: (offset: number) => Fault | null): void {
  const { write } = file;
  Object.assign(file, {
    write: (source: Uint8Array, offset: number) => {
      const fault = why(offset);
      if (fault !== null) throw fault;
      write(source, offset);
    },
  });
}
const fault = (code: 'disk.io' | 'disk.full'): Fault =>
  new Fault({ code, what: 'No.', safe: 'All.', todo: 'None.' });

it.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'T10: a flush that cannot write its BAT leaves no younger slot in it (power cut %i)',
  async seed => {
    const world = new SimWorld(new Seeded(seed), 'boot-0');
    const folder = world.folder(DISK);
    const image = imageIn(folder, { blockBytes: 16_384, blocks: 8 });
    const leaf = new Leaf(image, folder, null, {});
    const write = (block: number, value: number): void =>
      void leaf.writeUnits(block, 0, 1, UNIT, new Uint8Array(UNIT).fill(value));
    write(0, 1);
    await pump(world, Promise.all([leaf.flush(), folder.sync()]));
    write(1, 2);
    const flushing = leaf.flush();
    await microtasks();
    write(3, 3);
    let isSpoiled = false;
    spoil(image, offset => {
      if (isSpoiled || offset !== BAT) return null;
      isSpoiled = true;
      return fault('disk.io');
    });
    await expect(pump(world, flushing)).rejects.toMatchObject({ body: { code: 'disk.io' } });
    world.crash('power');
    const after = world.after?.folder(DISK).open(NAME, 'existing');
    if (after === undefined) throw new Error('nothing survived');
    const found = Image.open(after, UUID);
    const bytes = new Uint8Array(UNIT);
    found.readData(0, 0, bytes);
    expect([found.has(0), bytes[0], found.has(3)]).toEqual([true, 1, false]);
  },
);

it('T14: maps of a full host that cannot be put back are before anything else is written; it is not poisoned', () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const half = imageIn(world.folder(DISK), { blockBytes: UNIT, blocks: 200 });
  const slots = new Map([0, 150].map(block => [block, half.reserve()]));
  const changed = half.bat.slice();
  for (const [block, entry] of slots) changed[block] = entry;
  // Two sectors of BAT: the second cannot be written, nor anything after it.
  let room: 'until the second' | 'none' | 'enough' = 'until the second';
  spoil(half, offset => {
    if (room === 'until the second' && offset === BAT + 512) room = 'none';
    return room === 'none' ? fault('disk.full') : null;
  });
  expect(() => half.changeBat(slots.keys(), changed)).toThrow('No.');
  expect(() => half.writeEndFooter()).toThrow(/no room/);
  expect(half.poison).toBeNull();
  room = 'enough';
  half.writeEndFooter();
  const entry = new Uint8Array(4);
  half.file.read(entry, BAT);
  expect([...entry, half.poison]).toEqual([255, 255, 255, 255, null]);
});

it('T12: no block is put behind 2 TiB, where no BAT entry reaches', () => {
  const world = new SimWorld(new Seeded(1), 'boot-0');
  const blockBytes = 2 ** 21;
  const image = imageIn(world.folder(DISK), { blockBytes, blocks: 8 });
  image.place(0, (2 ** 41 - 3 * blockBytes) / 512);
  const { end } = image;
  expect(image.reserve()).toBeGreaterThan(0);
  expect(() => image.reserve()).toThrow(/2 TiB/);
  expect(() => image.reserveBat(2 ** 20)).toThrow(/2 TiB/);
  expect(image.end - end).toBeLessThan(2 * blockBytes);
});
