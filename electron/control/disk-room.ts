// T14: makes sure of room on the host's disk before anything is written. Some room is never taken, because
// the guests need it. Pure.
import { Fault } from '../../shared/result.ts';
import { bytesText, MIB } from '../../shared/units.ts';

/** Left free by what is written for one VM: its saved memory, an installer, disks of a new VM. */
export const SPARE_BYTES = 64 * MIB;
/** Left free by copies of whole images: guests go on writing for as long as such a copy takes. */
export const IMAGE_SPARE_BYTES = 256 * MIB;

export interface WantedRoom {
  /** "The clone". */
  readonly what: string;
  readonly needs: number;
  readonly free: number;
  /** The folder, where a person chose it. */
  readonly folder?: string;
  readonly safe: string;
  readonly todo?: string;
}

/** Room for an image. Fault disk.full. */
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
