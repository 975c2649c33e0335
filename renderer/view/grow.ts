// Reads the typed size to which a disk is to grow. Pure.
import { GIB, kibToBytes } from '../../shared/units.ts';
import { parseAmount } from './memory-scale.ts';

/** DESIGN T15's limit. */
export const DISK_BYTES_MAX = 2040 * GIB;

export type GrowWish =
  | { readonly bytes: number }
  | { readonly problem: 'no-amount' | 'not-larger' | 'too-large' };

export function growWish(typed: string, nowBytes: number): GrowWish {
  const kib = parseAmount(typed, 'GiB');
  if (kib === null) return { problem: 'no-amount' };
  const bytes = kibToBytes(kib);
  if (bytes > DISK_BYTES_MAX) return { problem: 'too-large' };
  return bytes > nowBytes ? { bytes } : { problem: 'not-larger' };
}
