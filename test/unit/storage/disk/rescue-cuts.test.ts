// Rescue may be interrupted like anything else: what it puts in place of the old database, and when (SPEC.md, Rescue).
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '../../../../electron/platform/folder.ts';
import type { Folder } from '../../../../electron/platform/ports.ts';
import type { VmEngine } from '../../../../electron/storage/disk/engine.ts';
import { endsWithFooter } from '../../../../electron/storage/disk/image-head.ts';
import { openVmFolder } from '../../../../electron/storage/disk/open-folder.ts';
import { rescueRows } from '../../../../electron/storage/disk/rescue.ts';
import { replaceDatabase, rescueFolder } from '../../../../electron/storage/disk/rescue-folder.ts';
import type { SwitchOffs } from '../../../../electron/storage/disk/switch-offs.ts';
import type { DiskId, PointId, VmId } from '../../../../shared/ids.ts';
import { Fault } from '../../../../shared/result.ts';
import { type CrashKind, SimWorld } from '../../../sim/storage/device.ts';
import { engineOn } from '../../../sim/storage/engine-on.ts';
import { pump } from '../../../sim/storage/pump.ts';
import { Seeded } from '../../../support/seeded.ts';

const vmId = '00000000-0000-4000-8000-000000000001' as VmId;
const diskId = '00000000-0000-4000-8000-000000000002' as DiskId;
const [OLD, JOURNAL, NEW] = [1, 2, 3];
const [DATABASE, JOURNAL_NAME] = ['timeline.db', 'timeline.db-journal'];
const SEEDS = 40;

async function make(folder: Folder, name: string, value: number): Promise<void> {
  const file = folder.open(name, 'create');
  file.write(new Uint8Array(2048).fill(value), 0);
  await file.sync();
  file.close();
}

/** 0: not there; null: torn. */
function readValue(folder: Folder, name: string): number | null {
  if (!folder.exists(name)) return 0;
  const bytes = new Uint8Array(2048);
  folder.open(name, 'read-only').read(bytes, 0);
  return new Set(bytes).size === 1 ? (bytes[0] ?? null) : null;
}

function wrongIn(folder: Folder, when: string): string | null {
  const [database, journal] = [readValue(folder, DATABASE), readValue(folder, JOURNAL_NAME)];
  const isAsItWas = database === OLD && journal === JOURNAL;
  const isGone = database === 0;
  const isNew = database === NEW && journal === 0;
  return isAsItWas || isGone || isNew ? null : `${when}: database ${database}, journal ${journal}`;
}

/** A damaged database with a journal is replaced; dies at that call, is done again, dies then. Null: all was well. */
async function replaced(
  seed: number,
  calls: number,
  kind: CrashKind,
  off: SwitchOffs,
): Promise<{ readonly wrong: string | null; readonly isCut: boolean }> {
  let world = new SimWorld(new Seeded(seed), 'boot-0');
  const replace = (): Promise<boolean> => {
    const folder = world.folder('vm');
    return pump(
      world,
      replaceDatabase(folder, name => make(folder, name, NEW), { nowMs: 1, off }),
    );
  };
  const die = (how: CrashKind): Folder => {
    if (world.after === null) world.crash(how);
    world = world.after as unknown as SimWorld;
    return world.folder('vm');
  };
  await pump(world, make(world.folder('vm'), DATABASE, OLD));
  await pump(world, make(world.folder('vm'), JOURNAL_NAME, JOURNAL));
  await pump(world, world.folder('vm').sync());
  world.fuse = { left: calls, kind, at: '' };
  const isCut = !(await replace());
  world.fuse = null;
  if (isCut) {
    const wrong = wrongIn(die(kind), `cut at ${calls}`);
    if (wrong !== null) return { wrong, isCut };
    await replace();
  }
  const after = die('power');
  const isNew = readValue(after, DATABASE) === NEW && readValue(after, JOURNAL_NAME) === 0;
  return { wrong: isNew ? null : (wrongIn(after, 'after it') ?? 'the new one is gone again'), isCut };
}

async function allCuts(off: SwitchOffs): Promise<{ readonly cuts: number; readonly wrong: string[] }> {
  const wrong: string[] = [];
  let cuts = 0;
  for (const kind of ['power', 'process'] as const)
    for (let seed = 0; seed < SEEDS; seed++)
      for (let calls = 1; ; calls++) {
        const found = await replaced(seed, calls, kind, off);
        if (found.wrong !== null) wrong.push(`seed ${seed}, ${kind}: ${found.wrong}`);
        if (!found.isCut) break;
        cuts++;
      }
  return { cuts, wrong };
}

describe('T5: the new database', () => {
  it('takes the place of the old whole, with no journal but its own, wherever the host dies, and stays', async () => {
    const { cuts, wrong } = await allCuts({});
    expect(wrong).toEqual([]);
    expect(cuts).toBeGreaterThan(500);
  });

  it.each(['rescueAsideSync', 'rescueFolderSync'] as const)('does not without %s', async name => {
    const { wrong } = await allCuts({ [name]: true });
    expect(wrong.length).toBeGreaterThan(0);
  });
});

const MIB = 2 ** 20;
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** Its n-th call that changes something fails. */
function failingFrom(left: { calls: number }): typeof openFolder {
  const count = (what: string): void => {
    if (--left.calls === 0) throw new Fault({ code: 'disk.io', what, safe: 'For a test.', todo: 'Nothing.' });
  };
  return path => {
    const folder = openFolder(path);
    return {
      ...folder,
      rename: (from, to) => {
        count(`renaming ${from}`);
        folder.rename(from, to);
      },
      unlink: async name => {
        count(`deleting ${name}`);
        await folder.unlink(name);
      },
      sync: async () => {
        count('syncing');
        await folder.sync();
      },
    };
  };
}

const openIn = (world: SimWorld): Promise<VmEngine> =>
  engineOn(world, vmId, { blockBytes: 8192, autoSettle: false });

/** Storage dies at that call of a take, and the timeline with it. Null: the take had ended. */
async function takeLost(calls: number, isNameless: boolean): Promise<string[] | null> {
  const world = new SimWorld(new Seeded(calls), 'boot-0');
  const opening = openIn(world);
  await pump(world, opening);
  const engine = await opening;
  await pump(world, engine.createDisk(diskId, 100_000));
  engine.volume(diskId).write(Buffer.alloc(8192, 7), 4096);
  const mirror = isNameless ? null : engine.mirror().mirror;
  world.fuse = { left: calls, kind: 'process', at: '' };
  const isDone = await pump(world, engine.takeMoment({ name: 'lost', note: '', kind: 'manual' }));
  const { after } = world;
  if (isDone || after === null) return null;
  after.loseTimeline();
  const rescued = rescueRows({
    diskNames: [diskId],
    diskFolder: name => after.folder(name),
    mirrorJson: mirror,
    random: after.randomPort(),
    nowMs: 1,
    bootId: after.bootId,
    off: {},
  });
  await pump(after, rescued);
  after.store.commit((await rescued).changes);
  const again = openIn(after);
  await pump(after, again);
  const opened = await again;
  const wrong: string[] = [];
  const points = opened.timeline().moments.flatMap(moment => moment.points);
  for (const volume of [opened.volume(diskId), ...points.map(({ pointId }) => opened.pointReader(pointId))]) {
    const found = Buffer.alloc(volume.sizeBytes);
    volume.read(found, 0);
    const expected = Buffer.alloc(volume.sizeBytes).fill(7, 4096, 4096 + 8192);
    if (!found.equals(expected)) wrong.push(`call ${calls}: what was written is not there`);
  }
  await pump(after, opened.close());
  const kept = after.store.rows('point').map(({ id }) => `${id}.vhd`);
  for (const name of kept) {
    const file = after.folder(diskId).open(name, 'read-only');
    if (!endsWithFooter(file)) wrong.push(`call ${calls}: ${name} is no whole VHD`);
  }
  return wrong;
}

describe('T5, T6, T11: a take under way when storage died, and the timeline with it', () => {
  it.each([true, false])(
    'is ended, with what had only been acknowledged (without names: %s)',
    async isNameless => {
      let cuts = 0;
      for (let calls = 1; ; calls++) {
        const wrong = await takeLost(calls, isNameless);
        if (wrong === null) break;
        expect(wrong).toEqual([]);
        cuts++;
      }
      expect(cuts).toBeGreaterThan(10);
    },
  );
});

describe('T5: rescue on a real folder', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ebb-rescue-cuts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is done again, or opens, wherever a step of it fails', async () => {
    const open = () => openVmFolder(vmId, folder, { turn }, { autoSettle: false });
    const made = await open();
    await made.createDisk(diskId, 4 * MIB);
    made.volume(diskId).write(Buffer.alloc(MIB, 1), 0);
    const moment = await made.takeMoment({ name: 'first', note: '', kind: 'manual' });
    const pointId = moment.points[0]?.pointId as PointId;
    const hash = await made.hashPoint(pointId);
    await made.close();
    let failures = 0;
    for (let calls = 1; ; calls++) {
      const left = { calls };
      const failed = await rescueFolder(folder, true, failingFrom(left)).then(
        () => false,
        () => true,
      );
      if (failed) failures++;
      const opened = await open().catch(async (cause: unknown) => {
        expect(cause).toMatchObject({ body: { code: 'timeline.missing' } });
        await rescueFolder(folder, false);
        return open();
      });
      expect(await opened.hashPoint(pointId)).toBe(hash);
      await opened.close();
      expect(readdirSync(folder).filter(name => name.includes('rescued'))).toEqual([]);
      if (left.calls > 0) break;
    }
    expect(failures).toBeGreaterThan(5);
  });
});
