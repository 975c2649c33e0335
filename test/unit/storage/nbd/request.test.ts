// The one switch that lets a request through, case by case.
import { describe, expect, it } from 'vitest';
import { NBD_ERROR, toNbdError } from '../../../../electron/storage/nbd/errno.ts';
import {
  decodeRequest,
  newRequest,
  type RequestLimits,
  validateRequest,
} from '../../../../electron/storage/nbd/request.ts';

const { EINVAL, ENOSPC, EPERM } = NBD_ERROR;
const limits: RequestLimits = { sizeBytes: 1 << 20, readOnly: false, structured: true, blockStatus: true };
const MIB = 1 << 20;

interface Row {
  readonly what: string;
  readonly request: Partial<ReturnType<typeof newRequest>>;
  readonly limits?: Partial<RequestLimits>;
  readonly error: number | null;
}
const rows: Row[] = [
  { what: 'a read', request: { command: 0, lengthBytes: 512 }, error: null },
  {
    what: 'a read up to the end',
    request: { command: 0, offsetBytes: MIB - 512, lengthBytes: 512 },
    error: null,
  },
  { what: 'a read past the end', request: { command: 0, offsetBytes: MIB, lengthBytes: 512 }, error: EINVAL },
  {
    what: 'an offset near 2^64',
    request: { command: 0, offsetBytes: 2 ** 64 - 512, lengthBytes: 512 },
    error: EINVAL,
  },
  { what: 'an empty read', request: { command: 0 }, error: EINVAL },
  { what: 'an unaligned length', request: { command: 0, lengthBytes: 100 }, error: EINVAL },
  { what: 'an unaligned offset', request: { command: 1, offsetBytes: 1, lengthBytes: 512 }, error: EINVAL },
  {
    what: 'a read above 32 MiB',
    request: { command: 0, lengthBytes: 33 * MIB },
    limits: { sizeBytes: 64 * MIB },
    error: EINVAL,
  },
  {
    what: 'a trim above 32 MiB',
    request: { command: 4, lengthBytes: 64 * MIB },
    limits: { sizeBytes: 64 * MIB },
    error: null,
  },
  { what: 'DF', request: { command: 0, flags: 4, lengthBytes: 512 }, error: null },
  {
    what: 'DF without structured replies',
    request: { command: 0, flags: 4, lengthBytes: 512 },
    limits: { structured: false },
    error: EINVAL,
  },
  {
    what: 'a write past the end',
    request: { command: 1, offsetBytes: MIB, lengthBytes: 512 },
    error: ENOSPC,
  },
  {
    what: 'a write to a read-only export',
    request: { command: 1, lengthBytes: 512 },
    limits: { readOnly: true },
    error: EPERM,
  },
  {
    what: 'a trim of a read-only export',
    request: { command: 4, lengthBytes: 512 },
    limits: { readOnly: true },
    error: EPERM,
  },
  { what: 'zeroes past the end', request: { command: 6, offsetBytes: MIB, lengthBytes: 512 }, error: ENOSPC },
  {
    what: 'zeroes with all their flags',
    request: { command: 6, flags: 1 | 2 | 16, lengthBytes: 512 },
    error: null,
  },
  { what: 'FAST_ZERO on a write', request: { command: 1, flags: 16, lengthBytes: 512 }, error: EINVAL },
  { what: 'FUA on a read', request: { command: 0, flags: 1, lengthBytes: 512 }, error: null },
  { what: 'an unknown flag', request: { command: 1, flags: 0x8000, lengthBytes: 512 }, error: EINVAL },
  { what: 'a flush', request: { command: 3 }, error: null },
  { what: 'a flush with a range', request: { command: 3, lengthBytes: 512 }, error: EINVAL },
  { what: 'block status', request: { command: 7, flags: 8, lengthBytes: 512 }, error: null },
  {
    what: 'block status unasked for',
    request: { command: 7, lengthBytes: 512 },
    limits: { blockStatus: false },
    error: EINVAL,
  },
  { what: 'CACHE, which is not advertised', request: { command: 5, lengthBytes: 512 }, error: EINVAL },
  { what: 'RESIZE, which is not advertised', request: { command: 8, lengthBytes: 512 }, error: EINVAL },
];

describe('validateRequest', () => {
  it.each(rows)('answers $what with $error', ({ request, limits: changed, error }) => {
    const rejected = validateRequest({ ...newRequest(), ...request }, { ...limits, ...changed });
    expect(rejected?.error ?? null).toBe(error);
  });

  it('decodes cookies bit for bit and refuses a wrong magic', () => {
    const bytes = Buffer.from('25609513000100030123456789abcdeffffffffffffffe00fffffe00', 'hex');
    const request = newRequest();
    expect(decodeRequest(bytes, 0, request)).toBe(true);
    expect(request).toEqual({
      flags: 1,
      command: 3,
      cookieHigh: 0x01234567,
      cookieLow: 0x89abcdef,
      offsetBytes: 2 ** 64 - 512,
      lengthBytes: 0xfffffe00,
    });
    bytes[0] = 0;
    expect(decodeRequest(bytes, 0, request)).toBe(false);
  });

  it('T14: a full disk is ENOSPC, a poisoned one EIO', () => {
    expect(toNbdError('disk.full')).toBe(ENOSPC);
    expect(toNbdError('disk.poisoned')).toBe(NBD_ERROR.EIO);
    expect(toNbdError('internal')).toBe(NBD_ERROR.EIO);
  });
});
