// T14: an image whose sync failed is written to by nothing until it is opened again, and maps that could not be written are
// on disk what memory says they are.
import { describe, expect, it } from 'vitest';
import { syncFiles } from '../../../../electron/storage/disk/disk-files.ts';
import { Doubt, IN_DOUBT } from '../../../../electron/storage/disk/doubt.ts';
import { Image } from '../../../../electron/storage/disk/image.ts';
import type { DiskId, PointId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { pump } from '../../../sim/storage/pump.ts';
import { Seeded } from '../../../support/seeded.ts';

const DISK = '00000000-0000-4000-8000-000000000001' as DiskId;
const UUID = '00000000-0000-4000-8000-000000000002' as PointId;
const BLOCK = 32_768;

function imageIn(world: SimWorld, name: string): Image {
  return Image.create(world.folder(DISK).open(name, 'create'), {
    uuid: UUID,
    virtualBytes: 8 * BLOCK,
    blockBytes: BLOCK,
    parent: null,
    timestampMs: 0,
    isLeaf: false,
  });
}

describe('T14: a poisoned image', () => {
  it('is neither cloned into nor punched', async () => {
    const world = new SimWorld(new Seeded(1), 'boot-0');
    const [image, source] = [imageIn(world, 'a.vhd'), imageIn(world, 'b.vhd')];
    world.failSyncs = 1;
    await expect(pump(world, image.sync())).rejects.toMatchObject({ body: { code: 'disk.io' } });
    const last = world.lastCall;
    expect(() => image.cloneFrom(source, 0, BLOCK, 4096)).toThrow(/sync/);
    expect(() => image.punch(BLOCK, 4096)).toThrow(/sync/);
    expect(world.lastCall).toBe(last);
  });

  it('comes of maps that cannot be put back either', () => {
    const image = imageIn(new SimWorld(new Seeded(1), 'boot-0'), 'a.vhd');
    image.putBack(() => undefined);
    expect(image.poison).toBeNull();
    image.putBack(() => {
      throw new Error('again');
    });
    expect(image.poison).toMatch(/half-way/);
  });
});

describe('T14: a disk in doubt on a host that unlinks nothing', () => {
  const BOOT = 'boot-0';
  const RUN_FILE = `${UUID}.run-a`;

  it('is not opened while its run files are there: they tell of units that may be gone', async () => {
    const world = new SimWorld(new Seeded(1), BOOT);
    const folder = world.folder(DISK);
    for (const name of [`unsynced-${BOOT}`, RUN_FILE]) folder.open(name, 'create').close();
    const { unlink } = folder;
    folder.unlink = () => Promise.reject(failing());
    await expect(pump(world, new Doubt(folder, BOOT, {}).begin())).rejects.toMatchObject({
      body: { code: 'disk.io' },
    });
    folder.unlink = unlink;
    const again = new Doubt(folder, BOOT, {});
    await pump(world, again.begin());
    expect([again.why, folder.exists(RUN_FILE)]).toEqual([IN_DOUBT, false]);
  });

  it('is so from a failed sync on, whatever became of its mark, and whoever called it', async () => {
    const world = new SimWorld(new Seeded(1), BOOT);
    const folder = world.folder(DISK);
    const doubt = new Doubt(folder, BOOT, {});
    await pump(world, doubt.begin());
    await pump(world, folder.unlink(`synced-${BOOT}`));
    folder.open('x.vhd', 'create').close();
    world.failSyncs = 1;
    await expect(
      pump(
        world,
        syncFiles(folder, ['x.vhd'], () => doubt.raise()),
      ),
    ).rejects.toMatchObject({
      body: { code: 'disk.io' },
    });
    expect(new Doubt(folder, BOOT, {}).why).toBe(IN_DOUBT);
  });

  it('is closed all the same', async () => {
    const world = new SimWorld(new Seeded(1), BOOT);
    const folder = world.folder(DISK);
    const doubt = new Doubt(folder, BOOT, {});
    await pump(world, doubt.begin());
    folder.unlink = () => Promise.reject(failing());
    await expect(pump(world, doubt.close(true))).resolves.toBe(true);
  });

  const failing = (): Fault => new Fault({ code: 'disk.io', what: 'No.', safe: 'All.', todo: 'None.' });
});
