// A request of the transmission phase: its bytes, and the one switch that says whether it may be carried out.
// Pure. Source: proto.md "Transmission phase"; the switch has the shape of nbdkit's validate_request.
import { NBD_ERROR, type NbdError } from './errno.ts';
import { BLOCK_BYTES_MIN, NBD_CMD, NBD_CMD_FLAG, NBD_REQUEST_MAGIC, PAYLOAD_BYTES_MAX } from './wire.ts';

/** Reused for every request of a connection: nothing is allocated per request. The cookie stays two words. */
export interface Request {
  flags: number;
  command: number;
  cookieHigh: number;
  cookieLow: number;
  offsetBytes: number;
  lengthBytes: number;
}

export const newRequest = (): Request => ({
  flags: 0,
  command: 0,
  cookieHigh: 0,
  cookieLow: 0,
  offsetBytes: 0,
  lengthBytes: 0,
});

/** Reads REQUEST_BYTES at `at` into `into`. False: the magic is wrong, and the stream past trusting. */
export function decodeRequest(bytes: Buffer, at: number, into: Request): boolean {
  if (bytes.readUInt32BE(at) !== NBD_REQUEST_MAGIC) return false;
  into.flags = bytes.readUInt16BE(at + 4);
  into.command = bytes.readUInt16BE(at + 6);
  into.cookieHigh = bytes.readUInt32BE(at + 8);
  into.cookieLow = bytes.readUInt32BE(at + 12);
  // Above 2^53 the offset is not exact, but still far past any disk's end, and so refused.
  into.offsetBytes = bytes.readUInt32BE(at + 16) * 2 ** 32 + bytes.readUInt32BE(at + 20);
  into.lengthBytes = bytes.readUInt32BE(at + 24);
  return true;
}

export interface RequestLimits {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  readonly structured: boolean;
  readonly blockStatus: boolean;
}

export interface Rejection {
  readonly error: NbdError;
  readonly why: string;
}

const { FUA, NO_HOLE, DF, REQ_ONE, FAST_ZERO } = NBD_CMD_FLAG;
const FLAGS_OF: Readonly<Record<number, number>> = {
  // FUA is legal with every command; it changes nothing where nothing is written.
  [NBD_CMD.READ]: FUA | DF,
  [NBD_CMD.WRITE]: FUA,
  [NBD_CMD.FLUSH]: FUA,
  [NBD_CMD.TRIM]: FUA,
  [NBD_CMD.WRITE_ZEROES]: FUA | NO_HOLE | FAST_ZERO,
  [NBD_CMD.BLOCK_STATUS]: FUA | REQ_ONE,
};

const no = (error: NbdError, why: string): Rejection => ({ error, why });

/** Null: carry the request out. DISC is handled before, and never gets here. */
export function validateRequest(request: Request, limits: RequestLimits): Rejection | null {
  const allowed = FLAGS_OF[request.command];
  if (allowed === undefined) return no(NBD_ERROR.EINVAL, `command ${request.command} is unknown`);
  if ((request.flags & ~allowed) !== 0) {
    return no(NBD_ERROR.EINVAL, `flags 0x${request.flags.toString(16)} do not go with this command`);
  }
  switch (request.command) {
    case NBD_CMD.READ:
      if ((request.flags & DF) !== 0 && !limits.structured) {
        return no(NBD_ERROR.EINVAL, 'DF needs structured replies');
      }
      return rejectRange(request, limits, PAYLOAD_BYTES_MAX);
    case NBD_CMD.WRITE:
      return rejectWrite(request, limits, PAYLOAD_BYTES_MAX);
    case NBD_CMD.TRIM:
    case NBD_CMD.WRITE_ZEROES:
      return rejectWrite(request, limits, Number.POSITIVE_INFINITY);
    case NBD_CMD.BLOCK_STATUS:
      if (!limits.blockStatus) return no(NBD_ERROR.EINVAL, 'no meta context was negotiated');
      return rejectRange(request, limits, Number.POSITIVE_INFINITY);
    default:
      if (request.offsetBytes === 0 && request.lengthBytes === 0) return null;
      return no(NBD_ERROR.EINVAL, 'FLUSH takes no range');
  }
}

function rejectWrite(request: Request, limits: RequestLimits, lengthMax: number): Rejection | null {
  if (limits.readOnly) return no(NBD_ERROR.EPERM, 'the export is read-only');
  const rejected = rejectRange(request, limits, lengthMax);
  if (rejected === null || !isBeyondEnd(request, limits)) return rejected;
  // By the specification a write past the end is ENOSPC; not so TRIM, which needs no space.
  return request.command === NBD_CMD.TRIM ? rejected : no(NBD_ERROR.ENOSPC, rejected.why);
}

const isBeyondEnd = (request: Request, limits: RequestLimits): boolean =>
  request.offsetBytes + request.lengthBytes > limits.sizeBytes;

function rejectRange(request: Request, limits: RequestLimits, lengthMax: number): Rejection | null {
  const { offsetBytes, lengthBytes } = request;
  if (lengthBytes === 0) return no(NBD_ERROR.EINVAL, 'length is 0');
  if (lengthBytes > lengthMax) return no(NBD_ERROR.EINVAL, `length ${lengthBytes} is above ${lengthMax}`);
  if (isBeyondEnd(request, limits)) {
    return no(NBD_ERROR.EINVAL, `offset ${offsetBytes} + ${lengthBytes} is past the end ${limits.sizeBytes}`);
  }
  if (offsetBytes % BLOCK_BYTES_MIN !== 0 || lengthBytes % BLOCK_BYTES_MIN !== 0) {
    return no(NBD_ERROR.EINVAL, `offset and length must be multiples of ${BLOCK_BYTES_MIN}`);
  }
  return null;
}
