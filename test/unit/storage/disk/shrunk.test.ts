// T4: what a root held behind its end when it was larger is read by nobody when it grows again, whenever the host dies: a
// point is read over a root smaller than itself from the first record of its edge on.
import { expect, it } from 'vitest';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import type { SwitchOffs } from '../../../../electron/storage/disk/switch-offs.ts';
import type { DiskId, MomentId, PointId, VmId } from '../../../../shared/ids.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { engineOn } from '../../../sim/storage/engine-on.ts';
import { pump } from '../../../sim/storage/pump.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
/** Of both sizes: with another number of blocks the shrinking is done again, zeros and all. */
const BLOCK_BYTES = 262_144;
const SEEDS = 60;

class Life {
  world: SimWorld;
  engine!: VmEngine;
  readonly #off: SwitchOffs;

  constructor(seed: number, off: SwitchOffs) {
    this.world = new SimWorld(new Seeded(seed), 'boot-0');
    this.#off = off;
  }

  async open(): Promise<void> {
    const opening = engineOn(this.world, vmId, {
      blockBytes: BLOCK_BYTES,
      switchOff: this.#off,
      autoSettle: false,
    });
    await pump(this.world, opening);
    this.engine = await opening;
  }

  async #ended<T>(work: Promise<T>): Promise<T> {
    await pump(this.world, work);
    return work;
  }

  get size(): number {
    return this.engine.volume(diskId).sizeBytes;
  }

  create = (): Promise<unknown> => this.#ended(this.engine.createDisk(diskId, 65_536 + 4096));
  grow = (bytes: number): Promise<unknown> => this.#ended(this.engine.growDisk(diskId, bytes));
  goBack = (momentId: MomentId): Promise<unknown> =>
    this.#ended(this.engine.goBack({ momentId, keepName: 'kept' }));

  async take(at: number, bytes: number, value: number): Promise<{ id: MomentId; point: PointId }> {
    this.engine.volume(diskId).write(Buffer.alloc(bytes, value), at);
    const { id, points } = await this.#ended(this.engine.takeMoment({ name: 'p', note: '', kind: 'manual' }));
    return { id, point: points[0]?.pointId as PointId };
  }

  /** Settles, and dies at such a call where it comes to one; then it is opened again. Answers whether it died. */
  async settle(fuse: SimWorld['fuse'] = null): Promise<boolean> {
    this.world.fuse = fuse;
    await pump(this.world, this.engine.settle());
    this.world.fuse = null;
    if (!this.world.isDead) return false;
    this.world = this.world.after as SimWorld;
    await this.open();
    return true;
  }

  async undo(): Promise<void> {
    await pump(this.world, this.engine.undoSettling());
    await pump(this.world, this.engine.settle());
  }

  /** Nobody wrote there. */
  isZero(point: PointId, from: number): boolean {
    const bytes = Buffer.alloc(this.size - from);
    this.engine.pointReader(point).read(bytes, from);
    return bytes.every(byte => byte === 0);
  }
}

/** The root becomes larger, smaller, and larger again; `cut`: it dies at its shrinking. Answers whether all read as it was. */
async function lived(seed: number, off: SwitchOffs, cut: 'shrinking' | null): Promise<boolean> {
  const life = new Life(seed, off);
  await life.open();
  await life.create();
  const end = life.size;
  const small = await life.take(0, end, 1);
  await life.grow(end + 8192);
  const large = life.size;
  await life.take(end, large - end, 2);
  await life.settle();
  await life.goBack(small.id);
  await life.take(0, 4096, 3);
  const left = 1 + (seed % 3);
  if (cut !== null) await life.settle({ at: cut, left, kind: 'power' });
  await life.settle();
  await life.grow(large);
  const { point } = await life.take(4096, 4096, 4);
  expect(await life.settle({ at: 'resizing', left: 1, kind: 'process' })).toBe(true);
  life.engine.setSettling(false);
  if (!life.isZero(point, end)) return false;
  await life.undo();
  return life.isZero(point, end);
}

it('by a death while it grows again, and by turning the edge back from there', async () => {
  for (let seed = 0; seed < 6; seed++) expect(await lived(seed, {}, null), `seed ${seed}`).toBe(true);
});

it.each([
  ['not', {}, true],
  ['but without shrinkZeroSync', { shrinkZeroSync: true }, false],
] as const)('by a power cut while it became smaller: %s', async (_, off, isRight) => {
  let wrong = 0;
  for (let seed = 0; seed < SEEDS; seed++) if (!(await lived(seed, off, 'shrinking'))) wrong++;
  if (isRight) expect(wrong).toBe(0);
  else expect(wrong).toBeGreaterThan(0);
});
