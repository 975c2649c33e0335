// CHS geometry of the VHD specification's appendix, and sizes on which every reader agrees (T12). Pure.
import { SECTOR_BYTES } from '../../../shared/units.ts';

export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
}

const SECTORS_MAX = 65535 * 16 * 255;
/** 2040 GiB: the largest a dynamic VHD can be (T15). */
export const VIRTUAL_BYTES_MAX = 2040 * 2 ** 30;
/** Bitmaps are kept in units of eight sectors, so sizes are whole units too. */
export const UNIT_BYTES = 4096;

/** The specification's algorithm; the product rounds down. */
export function geometryOf(sectors: number): Geometry {
  const total = Math.min(sectors, SECTORS_MAX);
  if (total >= 65535 * 16 * 63)
    return { cylinders: Math.floor(total / 255 / 16), heads: 16, sectorsPerTrack: 255 };
  let sectorsPerTrack = 17;
  let tracks = Math.floor(total / sectorsPerTrack);
  let heads = Math.max(4, Math.ceil(tracks / 1024));
  if (tracks >= heads * 1024 || heads > 16) {
    sectorsPerTrack = 31;
    heads = 16;
    tracks = Math.floor(total / sectorsPerTrack);
  }
  if (tracks >= heads * 1024) {
    sectorsPerTrack = 63;
    heads = 16;
    tracks = Math.floor(total / sectorsPerTrack);
  }
  return { cylinders: Math.floor(tracks / heads), heads, sectorsPerTrack };
}

export const geometrySectors = (geometry: Geometry): number =>
  geometry.cylinders * geometry.heads * geometry.sectorsPerTrack;

/**
 * The smallest size ≥ `bytes` that is its own CHS product and a whole number of units, so that readers that
 * trust the geometry and readers that trust the size see the same disk. Above 127.5 GiB everybody trusts the
 * size.
 */
export function exactSize(bytes: number): number {
  const sectorsPerUnit = UNIT_BYTES / SECTOR_BYTES;
  let sectors = Math.max(1, Math.ceil(bytes / UNIT_BYTES)) * sectorsPerUnit;
  while (sectors <= SECTORS_MAX) {
    const product = geometrySectors(geometryOf(sectors));
    if (product === sectors) return sectors * SECTOR_BYTES;
    sectors += sectorsPerUnit;
  }
  return Math.ceil(bytes / UNIT_BYTES) * UNIT_BYTES;
}
