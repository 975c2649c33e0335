// The faults by which the engine refuses. Pure.
import type { MomentId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { VIRTUAL_BYTES_MAX } from '../vhd/geometry.ts';
import type { Tree } from './tree.ts';

export const noPoint = (id: string): Fault =>
  new Fault({
    code: 'moment.not-found',
    what: `There is no point ${id}.`,
    safe: 'Nothing was changed.',
    todo: 'It may have been deleted; look at the history again.',
  });

export const pinned = (name: string): Fault =>
  new Fault({
    code: 'moment.pinned',
    what: `"${name}" is pinned, so that it is not deleted.`,
    safe: 'Nothing was changed.',
    todo: 'Unpin it first.',
  });

export const tooLarge = (bytes: number): Fault =>
  new Fault({
    code: 'disk.too-large',
    what: `A disk of ${bytes} bytes was asked for; a VHD holds from 1 byte to ${VIRTUAL_BYTES_MAX} (2040 GiB).`,
    safe: 'Nothing was created.',
    todo: 'Choose a size in between.',
  });

export const noDisk = (id: string): Fault =>
  new Fault({
    code: 'disk.not-found',
    what: `This VM has no disk ${id}.`,
    safe: 'Nothing was changed.',
    todo: 'Look at the VM again.',
  });

export const diskExists = (id: string): Fault =>
  new Fault({
    code: 'disk.in-use',
    what: `Disk ${id} exists already.`,
    safe: 'It was not changed.',
    todo: 'Choose another id.',
  });

export const wouldShrink = (virtualBytes: number, asked: number): Fault =>
  new Fault({
    code: 'disk.would-shrink',
    what: `The disk holds ${virtualBytes} bytes; making it hold ${asked} would cut off what lies behind.`,
    safe: 'Nothing was changed.',
    todo: 'A disk only grows. For a smaller one make a new disk of that size and copy what is needed.',
    data: { virtualBytes, asked },
  });

/** T15: the points a VM may have. */
export const POINTS_MAX = 5000;
/** T15: all notes of a VM together, as JSON: its whole timeline crosses a channel in one message. */
export const NOTES_BYTES_MAX = 4 * 2 ** 20;

const bytesOf = (note: string): number => (note === '' ? 0 : Buffer.byteLength(JSON.stringify(note)));

/** Refuses more points, or longer notes, than a VM may have. `id`: whose note is replaced; null: none. */
export function requireRoom(tree: Tree, more: number, note: string, id: MomentId | null = null): void {
  if (tree.points.length + more > POINTS_MAX)
    throw reached(`This VM has ${POINTS_MAX} points.`, 'Delete some first.');
  if (note === '') return;
  const others = tree.moments.reduce((sum, row) => sum + (row.id === id ? 0 : bytesOf(row.note)), 0);
  if (others + bytesOf(note) > NOTES_BYTES_MAX)
    throw reached(
      `The notes of this VM's points would be longer than ${NOTES_BYTES_MAX / 2 ** 20} MiB together.`,
      'Shorten some, or leave this one out.',
    );
}

const reached = (what: string, todo: string): Fault =>
  new Fault({ code: 'limit.reached', what, safe: 'Nothing was changed.', todo });

export const uncertain = (path: string): Fault =>
  new Fault({
    code: 'disk.poisoned',
    what: `Whether the last transaction of ${path} happened cannot be told; this timeline is not changed any more.`,
    safe: 'Everything acknowledged before that is on the disk, and what the guest writes goes on being kept.',
    todo: 'Check the host disk, then stop and start the VM.',
  });

/** T14: the transaction may have happened: nothing that depends on it is undone. The next opening knows. */
export const isUncertain = (cause: unknown): cause is Fault =>
  cause instanceof Fault && cause.body.code === 'disk.poisoned';
