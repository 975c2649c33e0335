// Linked clones of points, each a VM of its own on the same host. They are made as control makes them: whole
// from then on or thrown away. Nothing that happens to their source may change them.
import { type DiskId, diskIdSchema, type PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { Violation } from '../storage/judge.ts';
import { HeaderReader } from '../storage/reader.ts';
import type { Machine } from './machine.ts';
import { wrongContent } from './oracle.ts';

export class Clones {
  readonly #machine: Machine;
  /** What the disk of each clone holds. */
  readonly #whole = new Map<DiskId, Buffer>();
  /** A clone under way: nobody was told that it is done. */
  #making: { readonly diskId: DiskId; readonly content: Buffer } | null = null;
  /** True after a death: the clones must be checked again. Until then nothing happens to them. */
  #isDue = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get count(): number {
    return this.#whole.size;
  }

  /** Throws the faults of a host that is full or failing. */
  async make(pointId: PointId, content: Buffer): Promise<void> {
    const { world, faults, engine: source } = this.#machine;
    const diskId = diskIdSchema.parse(world.randomPort().uuid());
    const store = world.storeOf(diskId);
    this.#making = { diskId, content };
    const images = await this.#share(diskId, () =>
      source.sharing.share(pointId, faults.folder(world, diskId), faults.reflink(world)),
    );
    if (images === null) return;
    const clone = await this.#machine.engineOn(store);
    await clone.sharing.adopt(diskId, images);
    // If the host died in the tick before, nobody knows of the clone.
    if (world.isDead) return;
    this.#whole.set(diskId, content);
    this.#making = null;
    this.#isDue = true;
    await clone.close();
  }

  /** Null: a disk that has grown has no linked clone. */
  async #share(diskId: DiskId, work: () => Promise<PointId[]>): Promise<PointId[] | null> {
    const { world } = this.#machine;
    try {
      return await work();
    } catch (cause) {
      const left = world.isDead ? [] : world.folder(diskId).list();
      if (left.length > 0) throw new Violation(`a clone that failed left ${left.join(' ')}`);
      if (cause instanceof Fault && cause.body.code === 'host.unsupported') return null;
      throw cause;
    }
  }

  /** A clone under way is there if its rows say so; else control throws its folder away. */
  observe(): void {
    const { world } = this.#machine;
    if (this.#making === null) return;
    const { diskId, content } = this.#making;
    this.#making = null;
    if (world.storeOf(diskId).rows('disk').length > 0) this.#whole.set(diskId, content);
    else {
      world.folders.delete(diskId);
      world.others.delete(diskId);
    }
  }

  /** Reads the clones with other code before anything is recovered (T3, T5). */
  files(): void {
    const { world } = this.#machine;
    this.observe();
    this.#isDue = true;
    for (const [diskId, content] of this.#whole) {
      const [row] = world.storeOf(diskId).rows('disk');
      if (row === undefined) throw new Violation(`clone ${diskId} is gone`);
      const found = new HeaderReader(world.folder(diskId)).content(row.leaf);
      const wrong = found === null ? 'it cannot be read' : wrongContent(found, content);
      if (wrong !== null) throw new Violation(`before recovery: clone ${diskId}: ${wrong}`);
    }
  }

  /** Opens each clone as people do, reads it, lets it settle into one image, and reads it again. */
  async check(): Promise<void> {
    if (!this.#isDue) return;
    this.#isDue = false;
    for (const [diskId, content] of this.#whole) if (!(await this.#open(diskId, content))) return;
  }

  /** False: the host died, or is full or failing; the clone is checked another time. */
  async #open(diskId: DiskId, content: Buffer): Promise<boolean> {
    const machine = this.#machine;
    const { struck } = machine.faults;
    const outcome = await machine.pump(this.#settled(diskId, content));
    if (outcome.is === 'failed') machine.excuse(outcome.cause, struck);
    this.#isDue ||= outcome.is !== 'done';
    return outcome.is === 'done';
  }

  async #settled(diskId: DiskId, content: Buffer): Promise<void> {
    const { world } = this.#machine;
    const clone = await this.#machine.engineOn(world.storeOf(diskId));
    // T14: the clone's machine is off.
    clone.trust(diskId);
    for (const when of ['opened', 'settled']) {
      const found = Buffer.alloc(clone.volume(diskId).sizeBytes);
      this.#machine.judge(() => clone.volume(diskId).read(found, 0));
      const wrong = wrongContent(found, content);
      if (wrong !== null && !world.isDead) throw new Violation(`clone ${diskId}, ${when}: ${wrong}`);
      await clone.settle();
    }
    await clone.close();
  }
}
