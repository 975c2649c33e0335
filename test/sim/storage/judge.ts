// The oracle of one simulated VM: what its disks and points must hold, checked through the engine and, right
// after a crash, through other code (reader.ts).

import type { BlockFile } from '../../../electron/platform/ports.ts';
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import { rebuildDisk } from '../../../electron/storage/disk/rebuild.ts';
import { readImages } from '../../../electron/storage/disk/rescue.ts';
import type { DiskRow, PointRow } from '../../../electron/storage/disk/state.ts';
import type { Volume } from '../../../electron/storage/volume.ts';
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import { pairOf, type SimWorld } from './device.ts';
import { SECTOR } from './inode.ts';
import { type DiskModel, difference, tagsOf } from './model.ts';
import { HeaderReader } from './reader.ts';

export type Content = Map<DiskId, number[]>;
export type Uncertain = ReadonlyMap<DiskId, ReadonlyMap<number, ReadonlySet<number>>>;
export type Control =
  | {
      readonly kind: 'take';
      readonly base: Content;
      readonly uncertain: Uncertain;
      /** For each sector, what it might have been after a power cut when the take was called. */
      readonly open: ReadonlyMap<DiskId, readonly (readonly number[])[]>;
      readonly writes: Write[];
    }
  | {
      readonly kind: 'goBack';
      readonly target: Content;
      readonly left: Content;
      readonly uncertain: Uncertain;
    }
  | { readonly kind: 'delete'; readonly momentId: MomentId }
  /** An update that is being brought in, and what its point will hold. */
  | { readonly kind: 'graft'; readonly content: Content }
  | { readonly kind: 'grow'; readonly diskId: DiskId; readonly sectors: number }
  | { readonly kind: 'rest' };
export interface Write {
  readonly diskId: DiskId;
  readonly sector: number;
  readonly tag: number;
  /** The write failed, and nobody could look how much of it happened. */
  readonly isUnknown: boolean;
}

export class Violation extends Error {}

/** What was expected; an uncertain sector is taken as found where it is one of the values it may be. */
function settledBy(found: Content, expected: Content, uncertain: Uncertain): Content {
  return new Map(
    [...expected].map(([diskId, tags]) => {
      const settled = [...tags];
      for (const [sector, may] of uncertain.get(diskId) ?? []) {
        const tag = found.get(diskId)?.[sector];
        if (tag !== undefined && may.has(tag)) settled[sector] = tag;
      }
      return [diskId, settled];
    }),
  );
}

export class Judge {
  readonly disks: readonly DiskId[];
  readonly models = new Map<DiskId, DiskModel>();
  readonly moments = new Map<MomentId, Content>();
  #scratch = new Uint8Array(0);
  world: SimWorld;
  engine: VmEngine | null = null;
  control: Control | null = null;
  /** Disks whose guest was switched off after a failed sync: they hold what a power cut leaves (T14). */
  readonly doubted = new Set<DiskId>();
  /** The take under way was refused for now, but it is recorded and will be completed (T14). */
  isTakeLate = false;

  constructor(disks: readonly DiskId[], world: SimWorld) {
    this.disks = disks;
    this.world = world;
  }

  model(diskId: DiskId): DiskModel {
    const model = this.models.get(diskId);
    if (model === undefined) throw new Violation(`no model of ${diskId}`);
    return model;
  }

  content(): Content {
    return new Map(this.disks.map(diskId => [diskId, [...this.model(diskId).now]]));
  }

  uncertain(): Uncertain {
    return new Map(this.disks.map(diskId => [diskId, this.model(diskId).uncertain()]));
  }

  get live(): VmEngine {
    if (this.engine === null) throw new Violation('no engine');
    return this.engine;
  }

  read(volume: Volume): number[] {
    if (this.#scratch.length < volume.sizeBytes) this.#scratch = new Uint8Array(volume.sizeBytes);
    const bytes = this.#scratch.subarray(0, volume.sizeBytes);
    volume.read(bytes, 0);
    return tagsOf(bytes);
  }

  /** Whether the moment is there, in the trash or not. */
  has(momentId: MomentId): boolean {
    const { moments, trash } = this.live.timeline();
    return [...moments, ...trash].some(({ id }) => id === momentId);
  }

  contentOf(momentId: MomentId, timeline = this.live.timeline()): Content {
    const { moments, trash } = timeline;
    const moment = moments.find(({ id }) => id === momentId) ?? trash.find(({ id }) => id === momentId);
    if (moment === undefined) throw new Violation(`point ${momentId} is gone`);
    return new Map(
      moment.points.map(({ diskId, pointId }) => [diskId, this.read(this.live.pointReader(pointId))]),
    );
  }

  /** I1 (a point's content never changes) and Now, through the engine. */
  check(when: string): void {
    // While going back Now is the old content or the chosen one; nobody is using it.
    if (this.control?.kind !== 'goBack')
      for (const diskId of this.disks) {
        const found = this.#known(diskId, this.read(this.live.volume(diskId)));
        const wrong = this.model(diskId).strayWhileLiving(found);
        if (wrong !== null) throw new Violation(`${when}: Now of ${diskId}: ${wrong}`);
      }
    this.checkPoints(when);
  }

  /** I1: every point holds what it held. */
  checkPoints(when: string): void {
    const deleting = this.control?.kind === 'delete' ? this.control.momentId : null;
    const timeline = this.live.timeline();
    for (const [momentId, content] of this.moments) {
      if (momentId === deleting) continue;
      const found = this.contentOf(momentId, timeline);
      for (const [diskId, tags] of content)
        this.#expect(found.get(diskId) ?? null, tags, `${when}: point ${momentId} of ${diskId}`);
    }
  }

  /** For a disk that may have grown already: the sectors it had before. What growing added must be zeros. */
  #known(diskId: DiskId, found: readonly number[]): readonly number[] {
    const { control } = this;
    const { length } = this.model(diskId).now;
    if (control?.kind !== 'grow' || control.diskId !== diskId || found.length !== control.sectors)
      return found;
    if (found.some((tag, sector) => sector >= length && tag !== 0))
      throw new Violation(`${diskId} grew, and holds something behind its old end`);
    return found.slice(0, length);
  }

  /** Whether the growth is recorded. Where another take is waiting for room, the growth never began. */
  isGrowing(): boolean {
    return this.world.store
      .rows('op')
      .some(op => op.kind === 'take' && op.leaves.some(leaf => leaf.virtualBytes !== undefined));
  }

  /** T4: adopts a growth that was acknowledged, or that a full disk delayed (T14). */
  adoptGrowth(): void {
    const { control } = this;
    if (control?.kind !== 'grow') return;
    const volume = this.live.volume(control.diskId);
    if (volume.sizeBytes !== control.sectors * SECTOR) return;
    this.#known(control.diskId, this.read(volume));
    this.model(control.diskId).grow(control.sectors);
    this.control = null;
  }

  #expect(found: readonly number[] | null, expected: readonly number[], what: string): void {
    const wrong = difference(found, expected);
    if (wrong !== null) throw new Violation(`${what}: ${wrong}`);
  }

  /** Adopts a take that a full disk interrupted once it has been completed (T14). */
  adoptLateTake(): void {
    const { control } = this;
    if (
      !this.isTakeLate ||
      control?.kind !== 'take' ||
      this.world.store.rows('op').some(op => op.kind === 'take')
    )
      return;
    const fresh = this.live.timeline().moments.filter(({ id }) => !this.moments.has(id));
    for (const { id } of fresh) this.adoptTake(id, control);
    if (fresh.length === 0) return;
    this.control = null;
    this.isTakeLate = false;
  }

  /** T6: the point must be the disks as they were at one instant between the call and the answer. */
  adoptTake(
    momentId: MomentId,
    { base, uncertain, writes }: Pick<Control & { kind: 'take' }, 'base' | 'uncertain' | 'writes'>,
  ): void {
    const found = this.contentOf(momentId);
    const at = settledBy(found, base, uncertain);
    const isNow = (): boolean =>
      this.disks.every(diskId => difference(found.get(diskId) ?? null, at.get(diskId) ?? []) === null);
    let isFound = isNow();
    for (const { diskId, sector, tag, isUnknown } of writes) {
      if (isFound) break;
      const tags = at.get(diskId);
      const didNotHappen = isUnknown && found.get(diskId)?.[sector] === tags?.[sector];
      if (tags !== undefined && !didNotHappen) tags[sector] = tag;
      isFound = isNow();
    }
    if (!isFound) throw new Violation(`point ${momentId} is no instant of the time it was taken in`);
    this.moments.set(momentId, found);
  }

  /** T7: the kept branch must hold the present as it was. */
  adoptKept(
    momentId: MomentId,
    { left, uncertain }: Pick<Control & { kind: 'goBack' }, 'left' | 'uncertain'>,
  ): void {
    const found = this.contentOf(momentId);
    for (const [diskId, tags] of settledBy(found, left, uncertain))
      this.#expect(found.get(diskId) ?? null, tags, `kept point ${momentId} of ${diskId}`);
    this.moments.set(momentId, found);
  }

  /** An update's point is whole, or not there. */
  adoptGraft(momentId: MomentId, content: Content): void {
    const found = this.contentOf(momentId);
    for (const [diskId, tags] of content)
      this.#expect(found.get(diskId) ?? null, tags, `grafted point ${momentId} of ${diskId}`);
    this.moments.set(momentId, found);
  }

  /** T3, T5: after the crash and before recovery, other code reads points and Now from the headers. */
  checkFiles(hadPowerCut: boolean): void {
    const { store } = this.world;
    const deleting = this.control?.kind === 'delete' ? this.control.momentId : null;
    const points = store.rows('point');
    for (const disk of store.rows('disk')) {
      this.#checkRescue(disk, points);
      const reader = new HeaderReader(this.world.folder(disk.id));
      const tagged = (uuid: string): number[] | null => {
        const bytes = reader.content(uuid);
        return bytes === null ? null : tagsOf(bytes);
      };
      for (const [momentId, content] of this.moments) {
        const point = points.find(row => row.momentId === momentId && row.diskId === disk.id);
        if (point === undefined && momentId === deleting) continue;
        this.#expect(
          point === undefined ? null : tagged(point.id),
          content.get(disk.id) ?? [],
          `before recovery: point ${momentId} of ${disk.id}`,
        );
      }
      const busy = new Set<string>(store.rows('op').flatMap(pairOf));
      for (const { id, parent } of points)
        if (!busy.has(id) && reader.has(id) && reader.parentOf(id) !== parent)
          throw new Violation(
            `before recovery: header of ${id}: parent ${reader.parentOf(id)}, not ${parent}`,
          );
      const take = store.rows('op').find(op => op.kind === 'take');
      const leaf = take?.leaves.find(entry => entry.diskId === disk.id)?.leaf ?? disk.leaf;
      const now = tagged(leaf);
      if (now === null) throw new Violation(`before recovery: Now of ${disk.id} cannot be read`);
      this.#judgeNow(disk.id, now, 'before recovery', hadPowerCut, true);
    }
  }

  /** T5: rebuilds the tree as `rescue` would: headers alone say of points and Now what the database says. */
  #checkRescue(disk: DiskRow, points: readonly PointRow[]): void {
    const { store } = this.world;
    const rebuilt = rebuildDisk(disk.id, readImages(this.world.folder(disk.id), disk.id, []), {
      leaf: disk.leaf,
      points: new Set(points.map(({ id }) => id)),
    });
    if (rebuilt === null) throw new Violation(`before recovery: no root of ${disk.id} is found`);
    const found = new Map(rebuilt.points.map(({ id, parent }) => [id, parent]));
    const merge = store.rows('op').find(op => op.kind === 'merge' && op.diskId === disk.id);
    const flip = store.rows('op').find(op => op.kind === 'flip' && op.diskId === disk.id);
    // All names have changed hands, but the transaction that says so has not happened: the headers are ahead.
    const isAhead = flip?.kind === 'flip' && found.get(flip.root) === flip.child;
    if (isAhead && found.get(flip.child) !== null)
      throw new Violation(`rescue: ${flip.child} hangs off ${found.get(flip.child)}, it is the root`);
    for (const { id, parent, diskId, momentId } of points) {
      if (diskId !== disk.id || momentId === null || !this.moments.has(momentId)) continue;
      // A merge's child may already hang off its new parent, and names may have changed hands: the content is
      // the same.
      if (merge?.kind === 'merge' && id === merge.child) continue;
      if (isAhead && (id === flip.root || id === flip.child)) continue;
      if (!found.has(id) || found.get(id) !== parent)
        throw new Violation(`rescue: ${id} hangs off ${found.get(id)}, not off ${parent}`);
    }
    // A take that was never recorded may have left its empty leaf on Now.
    const isMoving = store.rows('op').some(op => op.kind === 'take') || this.control?.kind === 'goBack';
    if (!isMoving && rebuilt.leaf !== disk.leaf && rebuilt.leafParent !== disk.leaf)
      throw new Violation(`rescue: Now of ${disk.id} is ${rebuilt.leaf}, not ${disk.leaf}`);
  }

  /** The operations that are recorded or asked for at this instant. */
  underWay(): string[] {
    const ops = this.world.store.rows('op');
    const kinds = new Set<string>(ops.map(op => (op.kind === 'merge' ? `merge ${op.direction}` : op.kind)));
    if (this.control !== null) kinds.add(this.control.kind);
    return kinds.size === 0 ? ['guest only'] : [...kinds];
  }

  checkNow(hadPowerCut: boolean): void {
    for (const diskId of this.disks) {
      const found = this.read(this.live.volume(diskId));
      this.#judgeNow(diskId, found, 'after recovery', hadPowerCut, false);
    }
  }

  /** T10 after a power cut. T11 after a process death: the run file replayed, everything written is there. */
  #judgeNow(
    diskId: DiskId,
    found: readonly number[],
    when: string,
    hadPowerCut: boolean,
    isRaw: boolean,
  ): void {
    const model = this.model(diskId);
    const isLoose = hadPowerCut || isRaw || this.doubted.has(diskId);
    const known = this.#known(diskId, found);
    const wrong = isLoose ? model.strayAfterPowerCut(known) : model.strayWhileLiving(known);
    if (wrong === null) return;
    if (this.control?.kind === 'goBack') {
      if (difference(found, this.control.target.get(diskId) ?? []) === null) return;
    }
    throw new Violation(`${when}: Now of ${diskId}: ${wrong}`);
  }

  /** The operation that the crash interrupted is done or not done; from here on Now is what was found. */
  adoptNew(hadPowerCut: boolean, isLoose: boolean): void {
    const control = this.control;
    const known = new Set(this.moments.keys());
    const fresh = this.live.timeline().moments.filter(({ id }) => !known.has(id));
    if (fresh.length > (control === null || control.kind === 'delete' ? 0 : 1))
      throw new Violation(`after recovery there are points nobody took: ${fresh.map(({ id }) => id)}`);
    for (const { id } of fresh) {
      if (control?.kind === 'take') this.#adoptFoundTake(id, control, isLoose);
      if (control?.kind === 'goBack') this.adoptKept(id, control);
      if (control?.kind === 'graft') this.adoptGraft(id, control.content);
    }
    if (control?.kind === 'delete') {
      const isThere = this.live.timeline().moments.some(({ id }) => id === control.momentId);
      if (!isThere) this.moments.delete(control.momentId);
    }
    for (const diskId of this.disks) {
      const isGoneBack = control?.kind === 'goBack';
      this.model(diskId).settleOn(this.read(this.live.volume(diskId)), hadPowerCut || isGoneBack);
    }
  }

  #adoptFoundTake(momentId: MomentId, control: Control & { kind: 'take' }, isLoose: boolean): void {
    if (!isLoose) return this.adoptTake(momentId, control);
    const found = this.contentOf(momentId);
    for (const [diskId, tags] of found) {
      const may = (control.open.get(diskId) ?? []).map(values => new Set(values));
      for (const write of control.writes) if (write.diskId === diskId) may[write.sector]?.add(write.tag);
      const stray = tags.findIndex((tag, sector) => may[sector]?.has(tag) !== true);
      if (stray >= 0)
        throw new Violation(
          `point ${momentId}, taken while the power went: sector ${stray} is ${tags[stray]}, may be ${[...(may[stray] ?? [])].join(' or ')}`,
        );
    }
    this.moments.set(momentId, found);
  }

  /** T17: Now is one image. T8: points without a moment are there only where they cannot be merged away. */
  checkRest(): void {
    const { store } = this.world;
    const points = store.rows('point');
    for (const disk of store.rows('disk')) {
      const root = points.find(({ diskId, parent }) => diskId === disk.id && parent === null);
      if (root !== undefined && root.id !== disk.leafParent)
        throw new Violation(`the root of ${disk.id} is ${root.id}, not what Now grows from`);
      if (root !== undefined)
        this.#expect(
          this.read(this.live.pointReader(root.id)),
          this.model(disk.id).now,
          `the root of ${disk.id}`,
        );
    }
    for (const { id, momentId, parent } of points) {
      if (momentId !== null || store.rows('disk').some(({ leafParent }) => leafParent === id)) continue;
      const children = points.filter(({ parent }) => parent === id);
      const sizeOf = (point: string | null): number =>
        points.find(row => row.id === point)?.virtualBytes ?? 0;
      // A point smaller than both its neighbours stands for the zeros behind its end.
      const isGap = [parent, children[0]?.id ?? null].every(next => sizeOf(next) > sizeOf(id));
      if (children.length < 2 && !isGap)
        throw new Violation(`${id} is nobody's, with ${children.length} images hanging off it`);
    }
  }

  /** T12: all that is frozen has its checksums, and they are right. */
  async checkSums(): Promise<void> {
    const { damages, unrecordedBytes, cursor } = await this.live.verifier.some(null, Number.MAX_SAFE_INTEGER);
    const [damage] = damages;
    if (damage !== undefined)
      throw new Violation(`at rest ${damage.file} at ${damage.offset}: ${damage.what}`);
    if (unrecordedBytes > 0 || cursor !== null)
      throw new Violation(`at rest ${unrecordedBytes} bytes unrecorded`);
  }

  checkHeaders(): void {
    const { store } = this.world;
    for (const disk of store.rows('disk')) {
      const folder = this.world.folder(disk.id);
      const reader = new HeaderReader(folder);
      const points = store.rows('point').filter(point => point.diskId === disk.id);
      const expected = [...points.map(point => `${point.id}.vhd`), `${disk.leaf}.vhd`].sort();
      const found = folder.list();
      if (found.join() !== expected.join())
        throw new Violation(`${disk.id} has files ${found.join(' ')}, expected ${expected.join(' ')}`);
      if (reader.roots !== 1) throw new Violation(`${disk.id} has ${reader.roots} roots`);
      const { virtualBytes } = disk;
      for (const row of [...points, { id: disk.leaf, parent: disk.leafParent, virtualBytes }]) {
        const parent = reader.parentOf(row.id);
        if (parent !== row.parent)
          throw new Violation(`header of ${row.id}: parent ${parent}, not ${row.parent}`);
        const sectors = (row.virtualBytes ?? disk.virtualBytes) / SECTOR;
        if (reader.sectorsOf(row.id) !== sectors)
          throw new Violation(`${row.id} is a file of ${reader.sectorsOf(row.id)} sectors, not ${sectors}`);
      }
      // A point that could not be sealed yet is tried again at the next opening.
      const unsealed = store.rows('op').flatMap(op => (op.kind === 'seal' ? [`${op.point}.vhd`] : []));
      for (const name of found) if (!unsealed.includes(name)) checkEndFooter(folder.open(name, 'read-only'));
    }
  }
}

/** T12: the end footer says what the head says, for programs that read from the end. */
export function checkEndFooter(file: Pick<BlockFile, 'name' | 'sizeBytes' | 'read'>): void {
  const [head, end] = [new Uint8Array(512), new Uint8Array(512)];
  file.read(head, 0);
  file.read(end, file.sizeBytes() - 512);
  if (Buffer.compare(head, end) !== 0) throw new Violation(`${file.name} has no end footer`);
}
