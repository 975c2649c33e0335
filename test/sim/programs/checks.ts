// What must be so after every operation: each point and Now read as the oracle says, `compare` misses
// nothing, the timeline lists what there is. And what other code must find in the files alone before a
// recovery.
import { fileName } from '../../../electron/storage/disk/disk-files.ts';
import type { Volume } from '../../../electron/storage/volume.ts';
import type { DiskId, MomentId, PointId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Moment } from '../../../shared/timeline.ts';
import { SECTOR } from '../storage/inode.ts';
import { checkEndFooter, Judge, Violation } from '../storage/judge.ts';
import { HeaderReader } from '../storage/reader.ts';
import type { Pending } from './life.ts';
import type { Loss, Machine } from './machine.ts';
import type { Operation } from './operations.ts';
import { type Content, type Oracle, type Snapshot, wrongContent, wrongSnapshot } from './oracle.ts';

type Look = Extract<Operation, { readonly do: 'compare' | 'read' | 'cost' | 'verify' }>;

function read(volume: Volume): Buffer {
  const bytes = Buffer.alloc(volume.sizeBytes);
  volume.read(bytes, 0);
  return bytes;
}

export class Checks {
  readonly #machine: Machine;
  readonly #oracle: Oracle;
  /** Disks whose guest was switched off after a failed sync: they hold what a power cut leaves (T14). */
  readonly doubted = new Set<DiskId>();
  /**
   * Files of points that were being merged away when database and mirror were lost. No header tells of the
   * merge, so they are taken for points. What they hold is neither the one content nor the other, and verify
   * says that.
   */
  readonly #halfMerged = new Set<string>();

  constructor(machine: Machine, oracle: Oracle) {
    this.#machine = machine;
    this.#oracle = oracle;
  }

  #listed(): Map<MomentId, Moment> {
    const { moments, trash } = this.#machine.engine.timeline();
    return new Map([...moments, ...trash].map(moment => [moment.id, moment]));
  }

  #contentOf({ points }: Moment): Content {
    const { engine } = this.#machine;
    return new Map(points.map(({ diskId, pointId }) => [diskId, read(engine.pointReader(pointId))]));
  }

  async all(index: number, pending: Pending): Promise<void> {
    try {
      this.#contents(pending);
      await this.#difference(index);
    } catch (cause) {
      // A poisoned disk may refuse to read; it may not read wrong.
      const isRefusal = cause instanceof Fault && cause.body.code === 'disk.poisoned';
      this.#machine.noticePoison();
      if (!isRefusal || !this.#machine.isPoisoned) throw cause;
    }
  }

  #contents(pending: Pending): void {
    const { engine } = this.#machine;
    for (const [diskId, now] of this.#oracle.now) {
      const wrong = now.wrong(read(engine.volume(diskId)));
      if (wrong !== null) throw new Violation(`Now of ${diskId}: ${wrong}`);
    }
    const listed = this.#listed();
    for (const [id, known] of this.#oracle.moments) {
      const moment = listed.get(id);
      if (pending.changing.has(id)) continue;
      if (moment === undefined) throw new Violation(`point ${id} is gone`);
      if ((moment.trashedAt !== null) !== known.isTrashed || moment.name !== known.name)
        throw new Violation(`point ${id} is "${moment.name}", ${moment.trashedAt}, not "${known.name}"`);
      this.#expect(this.#contentOf(moment), known.content, `point ${id}`);
    }
  }

  #expect(found: Content, expected: Content, what: string): void {
    for (const [diskId, bytes] of expected) {
      const here = found.get(diskId);
      const wrong = here === undefined ? 'it is not there' : wrongContent(here, bytes);
      if (wrong !== null) throw new Violation(`${what} of ${diskId}: ${wrong}`);
    }
  }

  /** Compares one pair after each operation; over a program every pair has its turn. */
  async #difference(index: number): Promise<void> {
    const all = [null, ...this.#oracle.moments.keys()];
    await this.#compare(all[index % all.length] ?? null, all[(index * 7 + 3) % all.length] ?? null);
  }

  async #compare(from: MomentId | null, to: MomentId | null): Promise<void> {
    const { engine } = this.#machine;
    const content = (id: MomentId | null): Content => {
      if (id !== null) return this.#oracle.of(id).content;
      return new Map(this.#oracle.disks.map(disk => [disk, read(engine.volume(disk))]));
    };
    const [a, b] = [content(from), content(to)];
    for (const { diskId, difference } of await this.#machine.ask(() => engine.inspect.compare(from, to))) {
      const { ranges, bytes, isTruncated } = difference;
      if (isTruncated || ranges.reduce((sum, { length }) => sum + length, 0) !== bytes)
        throw new Violation(`the difference of ${from} and ${to} does not add up`);
      const sizes = [a, b].map(content => content.get(diskId)?.length ?? 0);
      // Behind the end of the smaller disk are zeros.
      const [one, other] = [a, b].map(content =>
        Buffer.concat([content.get(diskId) ?? Buffer.alloc(0)], Math.max(...sizes)),
      ) as [Buffer, Buffer];
      let end = 0;
      for (const { offset, length } of ranges) {
        if (offset < end || length <= 0 || offset + length > one.length)
          throw new Violation(`the difference of ${from} and ${to} has a range ${offset}+${length}`);
        end = offset + length;
        one.fill(0, offset, end);
        other.fill(0, offset, end);
      }
      const missed = wrongContent(one, other);
      if (missed !== null) throw new Violation(`the difference of ${from} and ${to} misses: ${missed}`);
    }
  }

  async look(operation: Look): Promise<void> {
    const { machine } = { machine: this.#machine };
    try {
      await this.#look(operation);
    } catch (cause) {
      machine.noticePoison();
      if (!(cause instanceof Fault) || !machine.isPoisoned) throw cause;
    }
  }

  async #look(operation: Look): Promise<void> {
    const { engine } = this.#machine;
    const all = [null, ...this.#oracle.moments.keys()];
    const choose = (which: number): MomentId | null => all[which % all.length] ?? null;
    if (operation.do === 'compare') return this.#compare(choose(operation.from), choose(operation.to));
    if (operation.do === 'cost') {
      const id = choose(operation.which);
      if (id !== null) await this.#cost(id);
    }
    if (operation.do === 'verify') {
      const { damages } = await this.#machine.ask(() => engine.verifier.some(null, Number.MAX_SAFE_INTEGER));
      // T14: verify reports a file whose sync failed; that is no damage.
      this.#machine.noticePoison();
      const [damage] = this.#unexcused(damages);
      if (damage !== undefined && !this.#machine.isPoisoned)
        throw new Violation(`verify: ${JSON.stringify(damage)}`);
    }
    if (operation.do === 'read') this.#piece(choose(operation.which), operation.at, operation.sectors);
  }

  #unexcused<T extends { readonly file: string }>(damages: readonly T[]): T[] {
    return damages.filter(({ file }) => !this.#halfMerged.has(file));
  }

  async #cost(id: MomentId): Promise<void> {
    const { engine } = this.#machine;
    const { allocatedBytes } = await this.#machine.ask(() => engine.inspect.cost(id));
    const listed = this.#listed().get(id)?.allocatedBytes;
    if (allocatedBytes !== listed) throw new Violation(`${id} costs ${allocatedBytes}, listed as ${listed}`);
  }

  /** Reads a range from anywhere, and checks what its extents say of it. */
  #piece(id: MomentId | null, at: number, sectors: number): void {
    const { engine, disks } = this.#machine;
    const diskId = disks[at % disks.length] as DiskId;
    const point =
      id === null
        ? null
        : this.#listed()
            .get(id)
            ?.points.find(row => row.diskId === diskId);
    if (point === undefined) return;
    const volume = point === null ? engine.volume(diskId) : engine.pointReader(point.pointId);
    const whole = read(volume);
    const first = (at * SECTOR) % whole.length;
    const length = Math.min(sectors * SECTOR, whole.length - first);
    const piece = Buffer.alloc(length);
    volume.read(piece, first);
    const wrong = wrongContent(piece, whole.subarray(first, first + length));
    if (wrong !== null) throw new Violation(`a piece of ${id ?? 'Now'} at ${first}: ${wrong}`);
    let end = first;
    for (const extent of volume.extents(first, length, 10_000)) {
      if (extent.state === 'zero' && whole.subarray(end, end + extent.length).some(byte => byte !== 0))
        throw new Violation(`an extent of ${id ?? 'Now'} at ${end} is said to be zeros`);
      end += extent.length;
    }
    if (end !== first + length) throw new Violation(`extents end at ${end}, not ${first + length}`);
  }

  // What is found after an operation whose end nobody was told

  /**
   * Before recovery, or after a close: other code reads the files from their headers as they are (T3, T5).
   */
  files({ changing, grow }: Pending, when: string): void {
    const points = this.#machine.known.rows('point');
    for (const diskId of this.#oracle.disks) {
      const reader = new HeaderReader(this.#machine.world.folder(diskId));
      for (const [id, { content }] of this.#oracle.moments) {
        const expected = content.get(diskId);
        // Points whose names were lost are moments of their own (T5).
        if (expected === undefined) continue;
        const point = points.find(row => row.momentId === id && row.diskId === diskId);
        if (point === undefined && changing.has(id)) continue;
        const found = point === undefined ? null : reader.content(point.id);
        const wrong = found === null ? 'it cannot be read' : wrongContent(found, expected);
        if (wrong !== null) throw new Violation(`${when}: point ${id} of ${diskId}: ${wrong}`);
      }
      if (when.startsWith('closed')) this.#closedNow(diskId, reader, when, grow !== null);
      if (when.startsWith('closed')) this.#quiet(diskId);
    }
  }

  /** T12: with no operation half-done every image ends with its footer. */
  #quiet(diskId: DiskId): void {
    const { world } = this.#machine;
    if (world.store.rows('op').length > 0) return;
    const own = world.store.rows('point').filter(point => point.diskId === diskId);
    for (const { id } of own) checkEndFooter(world.folder(diskId).open(fileName(id), 'read-only'));
  }

  #closedNow(diskId: DiskId, reader: HeaderReader, when: string, isGrowing: boolean): void {
    const { store } = this.#machine.world;
    const take = store.rows('op').find(op => op.kind === 'take');
    const leaf =
      (take?.kind === 'take' ? take.leaves.find(row => row.diskId === diskId)?.leaf : undefined) ??
      store.rows('disk').find(row => row.id === diskId)?.leaf;
    const found = leaf === undefined ? null : reader.content(leaf);
    const now = this.#oracle.disk(diskId);
    // The growth is recorded and not finished yet, or closing finished it: the leaf is larger already.
    const seen = take === undefined && !isGrowing ? found : (found?.subarray(0, now.bytes.length) ?? null);
    const wrong = seen === null ? 'it cannot be read' : now.wrong(seen);
    if (wrong !== null) throw new Violation(`${when}: Now of ${diskId}: ${wrong}`);
  }

  /**
   * T10 after a power cut; T11 after a death of storage alone. From then on the oracle takes what was found.
   * `sealed`: what was there before a going back that failed; a rescue without names may call it a point, and
   * Now is another one (T5).
   */
  nowAfter(pending: Pending, hadPowerCut: boolean, sealed: Snapshot | null): void {
    const { engine } = this.#machine;
    const { goBack } = pending;
    this.#adoptGrowth(pending);
    const found = new Map(this.#oracle.disks.map(disk => [disk, read(engine.volume(disk))]));
    const isAllBack =
      goBack !== null && [...goBack.target].every(([disk, bytes]) => found.get(disk)?.equals(bytes) === true);
    for (const [diskId, bytes] of found) {
      const now = this.#oracle.disk(diskId);
      const isBack =
        (isAllBack && goBack.target.has(diskId)) ||
        (sealed !== null && this.#isPoint(diskId, bytes) && this.#isKept(diskId, sealed));
      const isCut = hadPowerCut || this.doubted.has(diskId);
      const wrong = isBack ? null : isCut ? now.wrongAfterPowerCut(bytes) : now.wrong(bytes);
      if (wrong !== null) throw new Violation(`after recovery: Now of ${diskId}: ${wrong}`);
      now.settleOn(bytes, hadPowerCut || isBack);
    }
  }

  #isPoint(diskId: DiskId, bytes: Buffer): boolean {
    return [...this.#oracle.moments.values()].some(({ content }) => content.get(diskId)?.equals(bytes));
  }

  #isKept(diskId: DiskId, left: Snapshot): boolean {
    return [...this.#oracle.moments.values()].some(({ content }) => {
      const bytes = content.get(diskId);
      return bytes !== undefined && wrongSnapshot(bytes, left, diskId, true) === null;
    });
  }

  /** T5: every point is there, with its content. Where the leaf's files are lost, Now is the point below. */
  rescued({ store, mirror, leafless }: Loss): void {
    const { engine, world } = this.#machine;
    const { moments } = this.#oracle;
    const known = new Map<PointId, Buffer>();
    for (const { id, diskId, momentId } of store.rows('point')) {
      const bytes = momentId === null ? undefined : moments.get(momentId)?.content.get(diskId);
      if (bytes !== undefined) known.set(id, bytes);
    }
    if (mirror === null) {
      moments.clear();
      for (const op of store.rows('op')) if (op.kind === 'merge') this.#halfMerged.add(fileName(op.point));
    }
    for (const moment of this.#listed().values()) {
      const content = this.#contentOf(moment);
      for (const { diskId, pointId } of moment.points) {
        const bytes = known.get(pointId);
        if (bytes !== undefined)
          this.#expect(content, new Map([[diskId, bytes]]), `rescued point ${pointId}`);
        known.delete(pointId);
      }
      const { name, pinned, trashedAt } = moment;
      if (!moments.has(moment.id))
        moments.set(moment.id, { content, name, isPinned: pinned, isTrashed: trashedAt !== null });
    }
    for (const id of known.keys()) throw new Violation(`point ${id} was not rescued`);
    for (const { id, leafParent, virtualBytes } of world.store.rows('disk')) {
      const now = this.#oracle.disk(id);
      if (leafless.includes(id) && leafParent !== null)
        now.settleOn(read(engine.pointReader(leafParent)), true);
      // T6: a growth that was refused may have left its leaf, which a power cut brings back.
      else if (virtualBytes > now.bytes.length) now.grow(virtualBytes);
    }
  }

  /** Notes which pending operations have happened. `isGoneBack`: a going back has; null: nobody was told. */
  adopt(pending: Pending, isLoose: boolean, isGoneBack: boolean | null): void {
    this.#adoptGrowth(pending);
    const listed = this.#listed();
    const fresh = [...listed.values()].filter(({ id }) => !this.#oracle.moments.has(id));
    const found = fresh.map(moment => ({ moment, content: this.#contentOf(moment) }));
    if (isGoneBack === true)
      this.#goneBack(
        pending,
        found.map(({ content }) => content),
      );
    for (const { moment, content } of found) this.#adoptNew(pending, moment, content, isLoose);
    for (const id of pending.changing) {
      const moment = listed.get(id);
      if (moment === undefined) this.#oracle.moments.delete(id);
      else {
        const known = this.#oracle.of(id);
        Object.assign(known, {
          name: moment.name,
          isPinned: moment.pinned,
          isTrashed: moment.trashedAt !== null,
        });
      }
    }
  }

  /** The disk is as large as it was, or as large as was asked for. */
  #adoptGrowth({ grow }: Pending): void {
    if (grow === null) return;
    const now = this.#oracle.disk(grow.diskId);
    if (this.#machine.engine.volume(grow.diskId).sizeBytes === grow.bytes && now.bytes.length < grow.bytes)
      now.grow(grow.bytes);
  }

  /** T7: Now is the chosen point. The present is kept, in a point of its own or in the one it came from. */
  #goneBack({ goBack }: Pending, fresh: readonly Content[]): void {
    if (goBack === null) throw new Violation('nobody goes back');
    const kept = [...fresh, ...[...this.#oracle.moments.values()].map(({ content }) => content)];
    const isKept = kept.some(content =>
      [...content].every(([disk, bytes]) => wrongSnapshot(bytes, goBack.left, disk, false) === null),
    );
    if (!isKept) throw new Violation('what was there before going back is in no point');
    for (const [diskId, bytes] of goBack.target) this.#oracle.disk(diskId).settleOn(bytes, true);
  }

  #adoptNew(pending: Pending, moment: Moment, content: Content, isLoose: boolean): void {
    const { kind } = moment;
    const asked = kind === 'kept' ? pending.goBack?.left : kind === 'imported' ? pending.graft : pending.take;
    if (asked === undefined || asked === null) throw new Violation(`nobody asked for "${moment.name}"`);
    // Going back leaves disks alone that the chosen point does not have.
    const asksFor = kind === 'kept' ? pending.goBack?.target : asked.content;
    if (kind === 'kept') pending.goBack = null;
    else if (kind === 'imported') pending.graft = null;
    else pending.take = null;
    for (const diskId of asksFor?.keys() ?? [])
      if (!content.has(diskId)) throw new Violation(`new point "${moment.name}" has nothing of ${diskId}`);
    for (const [diskId, bytes] of content) {
      const wrong = wrongSnapshot(bytes, asked, diskId, isLoose);
      if (wrong !== null) throw new Violation(`new point "${moment.name}" of ${diskId}: ${wrong}`);
    }
    this.#oracle.moments.set(moment.id, { content, name: moment.name, isPinned: false, isTrashed: false });
  }

  // The end

  async atRest(): Promise<void> {
    const { engine, world } = this.#machine;
    const { settle } = engine.timeline();
    if (settle.state !== 'rest')
      throw new Violation(`it does not come to rest: ${settle.state} ${settle.reason}`);
    const verified = await this.#machine.ask(() => engine.verifier.some(null, Number.MAX_SAFE_INTEGER));
    const [damage] = this.#unexcused(verified.damages);
    if (damage !== undefined || verified.unrecordedBytes > 0)
      throw new Violation(
        `at rest verify finds ${JSON.stringify(damage)}, ${verified.unrecordedBytes} unrecorded`,
      );
    const points = world.store.rows('point');
    for (const { id, leafParent } of world.store.rows('disk')) {
      const root = points.find(({ diskId, parent }) => diskId === id && parent === null);
      if (root !== undefined && root.id !== leafParent)
        throw new Violation(`the root of ${id} is ${root.id}, not what Now grows from`);
    }
  }

  headers(): void {
    new Judge(this.#oracle.disks, this.#machine.world).checkHeaders();
  }
}
