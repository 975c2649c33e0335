// Turns over one bit of one file, reads every point and verifies everything. The flip must be found (by a
// refusal, or as damage that names the points it touches) or be harmless. Whoever does not need the byte must
// read exactly what it did.
import type { VmEngine } from '../../../electron/storage/disk/engine.ts';
import { sumsBytes } from '../../../electron/storage/disk/sums.ts';
import { UNIT_BYTES } from '../../../electron/storage/vhd/geometry.ts';
import type { MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Damage } from '../../../shared/verify.ts';
import type { Seeded } from '../../support/seeded.ts';
import type { SimWorld } from '../storage/device.ts';
import { SECTOR } from '../storage/inode.ts';
import { Violation } from '../storage/judge.ts';
import { HeaderReader } from '../storage/reader.ts';
import { copyOf, DISK, ended, type History, openIn } from './history.ts';

export type Fate = 'refused' | 'found by reading' | 'found by verify' | 'harmless' | 'not summed yet';

interface Place {
  readonly file: string;
  readonly at: number;
  readonly bit: number;
  readonly region: 'headers' | 'map' | 'locators' | 'page' | 'data' | 'end';
}

const BAT_AT = 1536;

/** Chooses small parts of a file as often as large ones. */
export function choosePlace({ world }: History, random: Seeded): Place {
  const folder = world.folder(DISK);
  const file = random.pick(folder.list().filter(name => /\.vhd(\.new)?$/.test(name)));
  const bytes = folder.open(file, 'read-only');
  const head = Buffer.alloc(BAT_AT);
  bytes.read(head, 0);
  const batAt = Number(head.readBigUInt64BE(512 + 16));
  const bat = Buffer.alloc(head.readUInt32BE(512 + 28) * 4);
  bytes.read(bat, batAt);
  const used: number[] = [];
  for (let at = 0; at < bat.length; at += 4) {
    const entry = bat.readUInt32BE(at);
    if (entry !== 0xffffffff) used.push(entry * SECTOR);
  }
  const batEnd = batAt + Math.ceil(bat.length / SECTOR) * SECTOR;
  const size = bytes.sizeBytes();
  const dataBytes = head.readUInt32BE(512 + 32);
  const bit = random.below(8);
  const inside = (from: number, length: number): number => from + random.below(length);
  const region = random.pick(
    used.length === 0
      ? (['headers', 'map', 'locators', 'end'] as const)
      : (['headers', 'map', 'map', 'locators', 'page', 'page', 'data', 'data', 'data', 'end'] as const),
  );
  const at = {
    headers: () => inside(0, BAT_AT),
    map: () => inside(batAt, bat.length),
    locators: () => inside(batEnd, 2 * SECTOR),
    page: () => {
      const entry = random.pick(used);
      const units = dataBytes / UNIT_BYTES;
      if (random.below(2) === 0) return inside(entry, units);
      const metadataEnd = batAt === BAT_AT ? batEnd + 2 * SECTOR : BAT_AT;
      return Math.max(metadataEnd, inside(entry - sumsBytes(units), 4 * (units + 1)));
    },
    data: () => inside(random.pick(used) + SECTOR, dataBytes),
    end: () => inside(size - SECTOR, SECTOR),
  }[region]();
  return { file, at, bit, region };
}

function flip(world: SimWorld, { file, at, bit }: Place): void {
  const target = world.folder(DISK).open(file, 'existing');
  const byte = Buffer.alloc(1);
  target.read(byte, at);
  byte[0] = (byte[0] ?? 0) ^ (1 << bit);
  target.write(byte, at);
}

interface Found {
  readonly wrong: Set<MomentId | 'Now'>;
  readonly refused: Set<MomentId | 'Now'>;
}

/** Throws a Violation that says where and what. */
export async function tryFlip(history: History, place: Place): Promise<Fate> {
  const world = copyOf(history.world);
  flip(world, place);
  const where = `bit ${place.bit} of byte ${place.at} (${place.region}) of ${place.file}`;
  let engine: VmEngine;
  try {
    engine = await openIn(world, history.shape);
  } catch (cause) {
    judgeRefusal(history, world, place, cause, where);
    return 'refused';
  }
  const found = readAll(history, engine, where);
  const { damages } = await ended(world, engine.verifier.some(null, Number.MAX_SAFE_INTEGER));
  confined(history, place, found, damages, where);
  return fateOf(history, place, found, damages, where);
}

function isRefusal(cause: unknown, where: string): boolean {
  if (!(cause instanceof Fault)) throw cause;
  const { code, what } = cause.body;
  if (!code.startsWith('vhd.')) throw new Violation(`${where}: ${code}: ${what}`);
  return true;
}

/** A disk need not open without a file of Now's. Other code must read every point that does not need it. */
function judgeRefusal(history: History, world: SimWorld, place: Place, cause: unknown, where: string): void {
  isRefusal(cause, where);
  if (!history.now.files.has(place.file))
    throw new Violation(`${where}: the disk is not opened for a file Now does not need: ${cause}`);
  const reader = new HeaderReader(world.folder(DISK));
  for (const [id, { pointId, content, files }] of history.points)
    if (!files.has(place.file) && reader.content(pointId)?.equals(content) !== true)
      throw new Violation(`${where}: point ${id} does not need it and cannot be read`);
}

function readAll(history: History, engine: VmEngine, where: string): Found {
  const found: Found = { wrong: new Set(), refused: new Set() };
  const look = (id: MomentId | 'Now', content: Buffer, read: (target: Buffer) => void): void => {
    const bytes = Buffer.alloc(content.length);
    try {
      read(bytes);
      if (!bytes.equals(content)) found.wrong.add(id);
    } catch (cause) {
      if (isRefusal(cause, where)) found.refused.add(id);
    }
  };
  look('Now', history.now.content, bytes => engine.volume(DISK).read(bytes, 0));
  for (const [id, { pointId, content }] of history.points)
    look(id, content, bytes => engine.pointReader(pointId).read(bytes, 0));
  return found;
}

const touched = (damages: readonly Damage[]): Set<MomentId | 'Now'> =>
  new Set(
    damages.flatMap(({ momentIds, touchesNow }) => [...momentIds, ...(touchesNow ? (['Now'] as const) : [])]),
  );

/** Only what reads through the file may be affected, or be named as affected. */
function confined(
  { points, now }: History,
  { file }: Place,
  { wrong, refused }: Found,
  damages: readonly Damage[],
  where: string,
): void {
  for (const id of [...wrong, ...refused, ...touched(damages)]) {
    const files = id === 'Now' ? now.files : points.get(id)?.files;
    if (files?.has(file) !== true) throw new Violation(`${where}: ${id} does not need it and is affected`);
  }
  for (const damage of damages)
    if (damage.file !== file)
      throw new Violation(`${where}: damage is said to be in ${damage.file}: ${damage.what}`);
}

function fateOf(
  history: History,
  place: Place,
  { wrong, refused }: Found,
  damages: readonly Damage[],
  where: string,
): Fate {
  const named = touched(damages);
  const silent = [...wrong].filter(id => !named.has(id));
  if (silent.length > 0) {
    // Such a BAT entry may still name a place where a block could be; no checksum tells yet what was there.
    const isUnsaid = place.region === 'data' || place.region === 'map';
    if (history.unrecorded.has(place.file) && isUnsaid) return 'not summed yet';
    throw new Violation(`${where}: ${silent.join(', ')} read wrong, and nobody says so`);
  }
  // A flipped bit of content is seen by exactly those who read it; behind the end of the disk nobody reads.
  const isSeen = damages.every(({ kind, offset }) => kind === 'data' && offset < history.now.content.length);
  if (place.region === 'data' && isSeen)
    for (const id of named)
      if (!wrong.has(id)) throw new Violation(`${where}: ${id} reads as it did, and is said to be damaged`);
  if (damages.length > 0) return 'found by verify';
  return refused.size > 0 ? 'found by reading' : 'harmless';
}
