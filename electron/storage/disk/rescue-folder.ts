// `rescue` on a real folder: lock, look, put the old database aside, write the new one beside it and rename.
// Interrupted anywhere, the folder is as it was, or has its new database, or has none and is rescued again.
import { join } from 'node:path';
import { Fault } from '../../../shared/result.ts';
import type { Rescued } from '../../../shared/timeline.ts';
import { bootId } from '../../platform/boot-id.ts';
import { systemClock } from '../../platform/clock.ts';
import { openFolder } from '../../platform/folder.ts';
import { readJson } from '../../platform/json-file.ts';
import { takeLock } from '../../platform/lock.ts';
import type { Folder } from '../../platform/ports.ts';
import { systemRandom } from '../../platform/random.ts';
import { putAway } from './disk-files.ts';
import { MIRROR_NAME } from './mirror.ts';
import { DATABASE_NAME, lockedElsewhere } from './open-folder.ts';
import { rescueRows } from './rescue.ts';
import { openTimelineStore } from './sqlite-store.ts';
import type { SwitchOffs } from './switch-offs.ts';

const BESIDE = `${DATABASE_NAME}.rescued`;

/**
 * Faults: disk.owned-elsewhere, vm.wrong-state (the database can be read, and `replace` is false),
 * vhd.corrupt, disk.full, disk.io.
 */
export async function rescueFolder(path: string, replace: boolean, open = openFolder): Promise<Rescued> {
  const lock = takeLock(join(path, '.lock'));
  if (!lock.ok) throw lockedElsewhere(path, lock.owner.pid);
  try {
    const folder = open(path);
    if (!replace && folder.exists(DATABASE_NAME) && isReadable(join(path, DATABASE_NAME))) throw notNeeded();
    const disks = open(join(path, 'disks'));
    const { changes, ...rescued } = await rescueRows({
      diskNames: disks.list(),
      diskFolder: name => open(join(path, 'disks', name)),
      mirrorJson: readJson(join(path, MIRROR_NAME)),
      random: systemRandom,
      nowMs: systemClock.wallMs(),
      bootId: bootId(),
      off: {},
    });
    const write = (name: string): void => {
      const store = openTimelineStore(join(path, name));
      try {
        store.commit(changes);
      } finally {
        store.close();
      }
    };
    await replaceDatabase(folder, write, { nowMs: systemClock.wallMs(), off: {} });
    return rescued;
  } finally {
    lock.release();
  }
}

/**
 * `write` makes the new database, durably. A journal belongs to its own database: SQLite would play it into
 * any other beside it, and without it the old one may be torn. So each step is durable before the next.
 */
export async function replaceDatabase(
  folder: Folder,
  write: (name: string) => void | Promise<void>,
  { nowMs, off }: { readonly nowMs: number; readonly off: SwitchOffs },
): Promise<void> {
  const beside = [BESIDE, journalOf(BESIDE)];
  for (const name of beside) await folder.unlink(name);
  try {
    await write(BESIDE);
    for (const name of [DATABASE_NAME, journalOf(DATABASE_NAME)]) {
      if (folder.exists(name)) folder.rename(name, `${name}.damaged-${nowMs}`);
      if (off.rescueAsideSync !== true) await folder.sync();
    }
    folder.rename(BESIDE, DATABASE_NAME);
    if (off.rescueFolderSync !== true) await folder.sync();
  } catch (cause) {
    await putAway(folder, beside);
    throw cause;
  }
}

const journalOf = (name: string): string => `${name}-journal`;

function isReadable(path: string): boolean {
  try {
    const store = openTimelineStore(path);
    const rows = store.rows('disk').length + store.rows('point').length;
    store.close();
    return rows > 0;
  } catch (cause) {
    // A database that a newer Ebb wrote, or that a failing disk does not give, is not ruined.
    if (!(cause instanceof Fault && cause.body.code === 'timeline.missing')) throw cause;
    return false;
  }
}

const notNeeded = (): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: 'The timeline of this VM can be read.',
    safe: 'Nothing was changed.',
    todo: 'There is nothing to rescue. To make it anew from the files all the same, say --replace.',
  });
