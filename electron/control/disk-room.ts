// T14: room on the host's disk is looked for before anything is written, and some of it is never taken: its guests need
// it. Pure.
import { Fault } from '../../shared/result.ts';
import { bytesText, MIB } from '../../shared/units.ts';

/** Left free by what comes to one VM: its memory, an installer, disks of a new one. */
export const SPARE_BYTES = 64 * MIB;
/** By whole images, which are copied for as long as guests go on writing. */
export const IMAGE_SPARE_BYTES = 256 * MIB;

export interface WantedRoom {
  /** "The clone". */
  readonly what: string;
  readonly needs: number;
  readonly free: number;
  /** Where a person chose it. */
  readonly folder?: string;
  readonly safe: string;
  readonly todo?: string;
}

/** Of an image. Fault disk.full. */
export function requireRoom({
  what,
  needs,
  free,
  folder,
  safe,
  todo = 'Free some space, then try again.',
}: WantedRoom): void {
  if (free >= needs + IMAGE_SPARE_BYTES) return;
  const [needed, left] = [needs, free].map(bytesText);
  const where = folder === undefined ? '' : ` in ${folder}`;
  throw new Fault({
    code: 'disk.full',
    what: `${what} needs ${needed}; ${left} are free${where}.`,
    safe,
    todo,
    data: { needs, free },
  });
}
