// What the engine refuses with. Pure.
import { Fault } from '../../../shared/result.ts';
import { VIRTUAL_BYTES_MAX } from '../vhd/geometry.ts';
import { POINTS_MAX } from './state.ts';

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

export const tooManyPoints = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: `This VM has ${POINTS_MAX} points.`,
    safe: 'Nothing was changed.',
    todo: 'Delete some first.',
  });
