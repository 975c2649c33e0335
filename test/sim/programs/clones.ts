// Linked clones of points, each a VM of its own on the same host: made as control makes them, whole from then on or thrown
// away, and never again what their source is.
import { type DiskId, diskIdSchema, type PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { Violation } from '../storage/judge.ts';
import { HeaderReader } from '../storage/reader.ts';
import type { Machine } from './machine.ts';
import { wrongContent } from './oracle.ts';

export class Clones {
  readonly #machine: Machine;
  /** What the disk of each holds. */
  readonly #whole = new Map<DiskId, Buffer>();
  /** Nobody was told that it is done. */
  #making: { readonly diskId: DiskId; readonly content: Buffer } | null = null;
  /** Looked at again after each death: until then nothing happens to them. */
  #isDue = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get count(): number {
    return this.#whole.size;
  }

  /** Throws what a host that is full or failing answers. */
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
    // What dies in the tick before knows nothing of it.
    if (world.isDead) return;
    this.#whole.set(diskId, content);
    this.#making = null;
    this.#isDue = true;
    await clone.close();
  }

  /** Null: of a disk that has grown there is no linked clone. */
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

  /** Its rows say that it is there, or control throws its folder away. */
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

  /** Before anything is recovered, by other code (T3, T5). */
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

  /** Opened as people do, read, settled into one image, read. */
  async check(): Promise<void> {
    if (!this.#isDue) return;
    this.#isDue = false;
    for (const [diskId, content] of this.#whole) if (!(await this.#open(diskId, content))) return;
  }

  /** False: the host died, or is full or failing; it is looked at another time. */
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
    // T14: its machine is off.
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
