// `rescue` on a real folder: lock, look, put the old database aside, write the new one beside it and rename. Interrupted
// anywhere, the folder is as it was, or has its new database.
import { join } from 'node:path';
import { Fault } from '../../../shared/result.ts';
import type { Rescued } from '../../../shared/timeline.ts';
import { systemClock } from '../../platform/clock.ts';
import { openFolder } from '../../platform/folder.ts';
import { readJson } from '../../platform/json-file.ts';
import { takeLock } from '../../platform/lock.ts';
import { systemRandom } from '../../platform/random.ts';
import { MIRROR_NAME } from './mirror.ts';
import { DATABASE_NAME, lockedElsewhere } from './open-folder.ts';
import { rescueRows } from './rescue.ts';
import { openTimelineStore } from './sqlite-store.ts';

const BESIDE = `${DATABASE_NAME}.rescued`;

/** Faults: disk.owned-elsewhere, vm.wrong-state (the database can be read, and `replace` is not said), vhd.corrupt, disk.io. */
export async function rescueFolder(path: string, replace: boolean): Promise<Rescued> {
  const lock = takeLock(join(path, '.lock'));
  if (!lock.ok) throw lockedElsewhere(path, lock.owner.pid);
  try {
    const folder = openFolder(path);
    if (!replace && folder.exists(DATABASE_NAME) && isReadable(join(path, DATABASE_NAME))) throw notNeeded();
    const disks = openFolder(join(path, 'disks'));
    const { changes, ...rescued } = await rescueRows({
      diskNames: disks.list(),
      diskFolder: name => openFolder(join(path, 'disks', name)),
      mirrorJson: readJson(join(path, MIRROR_NAME)),
      random: systemRandom,
      nowMs: systemClock.wallMs(),
    });
    for (const name of [BESIDE, `${BESIDE}-journal`]) await folder.unlink(name);
    const store = openTimelineStore(join(path, BESIDE));
    store.commit(changes);
    store.close();
    // A journal beside another database would be played into it; so each step is durable before the next.
    for (const name of [DATABASE_NAME, `${DATABASE_NAME}-journal`])
      if (folder.exists(name)) folder.rename(name, `${name}.damaged-${systemClock.wallMs()}`);
    await folder.sync();
    folder.rename(BESIDE, DATABASE_NAME);
    await folder.sync();
    return rescued;
  } finally {
    lock.release();
  }
}

function isReadable(path: string): boolean {
  try {
    const store = openTimelineStore(path);
    const rows = store.rows('disk').length + store.rows('point').length;
    store.close();
    return rows > 0;
  } catch {
    // Not a database, or rows of a form nobody knows.
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
