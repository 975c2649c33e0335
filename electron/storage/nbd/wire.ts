// The NBD protocol's numbers, named as in its specification (proto.md). Only what this server speaks.
// Layouts, big-endian:
//   option    IHAVEOPT.8 option.4 length.4 data
//   request   magic.4 flags.2 type.2 cookie.8 offset.8 length.4 [payload of WRITE]
//   simple    magic.4 error.4 cookie.8 [payload of READ]
//   chunk     magic.4 flags.2 type.2 cookie.8 length.4 payload

export const NBD_MAGIC = 0x4e42444d41474943n; // "NBDMAGIC"
export const NBD_IHAVEOPT = 0x49484156454f5054n; // "IHAVEOPT"
export const NBD_REP_MAGIC = 0x0003e889045565a9n;
export const NBD_REQUEST_MAGIC = 0x25609513;
export const NBD_SIMPLE_REPLY_MAGIC = 0x67446698;
export const NBD_STRUCTURED_REPLY_MAGIC = 0x668e33ef;

export const OPTION_HEADER_BYTES = 16;
export const REQUEST_BYTES = 28;
export const SIMPLE_REPLY_BYTES = 16;
export const CHUNK_HEADER_BYTES = 20;

/** Handshake flags that the server sends and a client may send back. */
export const NBD_FLAG_FIXED_NEWSTYLE = 1;
export const NBD_FLAG_NO_ZEROES = 2;

export const NBD_OPT = {
  EXPORT_NAME: 1,
  ABORT: 2,
  LIST: 3,
  INFO: 6,
  GO: 7,
  STRUCTURED_REPLY: 8,
  LIST_META_CONTEXT: 9,
  SET_META_CONTEXT: 10,
} as const;

const ERROR_BIT = 0x80000000;
export const NBD_REP = {
  ACK: 1,
  SERVER: 2,
  INFO: 3,
  META_CONTEXT: 4,
  ERR_UNSUP: ERROR_BIT + 1,
  ERR_INVALID: ERROR_BIT + 3,
  ERR_UNKNOWN: ERROR_BIT + 6,
  ERR_TOO_BIG: ERROR_BIT + 9,
} as const;

export const NBD_INFO = { EXPORT: 0, NAME: 1, DESCRIPTION: 2, BLOCK_SIZE: 3 } as const;

export const NBD_FLAG = {
  HAS_FLAGS: 1 << 0,
  READ_ONLY: 1 << 1,
  SEND_FLUSH: 1 << 2,
  SEND_FUA: 1 << 3,
  SEND_TRIM: 1 << 5,
  SEND_WRITE_ZEROES: 1 << 6,
  SEND_DF: 1 << 7,
  CAN_MULTI_CONN: 1 << 8,
  SEND_FAST_ZERO: 1 << 11,
} as const;

export const NBD_CMD = {
  READ: 0,
  WRITE: 1,
  DISC: 2,
  FLUSH: 3,
  TRIM: 4,
  WRITE_ZEROES: 6,
  BLOCK_STATUS: 7,
} as const;

export const NBD_CMD_FLAG = {
  FUA: 1 << 0,
  NO_HOLE: 1 << 1,
  DF: 1 << 2,
  REQ_ONE: 1 << 3,
  FAST_ZERO: 1 << 4,
} as const;

export const NBD_REPLY_FLAG_DONE = 1;
export const NBD_REPLY_TYPE = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  BLOCK_STATUS: 5,
  ERROR: 32769,
} as const;

export const NBD_STATE_HOLE = 1;
export const NBD_STATE_ZERO = 2;
export const META_CONTEXT = 'base:allocation';
/** The server knows one context, so one id. */
export const META_CONTEXT_ID = 1;

/** Block sizes told to clients: requests are whole sectors; 4 KiB is the unit of our bitmaps (T12). */
export const BLOCK_BYTES_MIN = 512;
export const BLOCK_BYTES_PREFERRED = 4096;
/** The largest payload that is customary by the specification; QEMU splits its requests at it. */
export const PAYLOAD_BYTES_MAX = 32 * 1024 * 1024;
/** A refused WRITE with a longer payload is not skipped but ends the connection: nobody honest sends it. */
export const SKIP_BYTES_MAX = 2 * PAYLOAD_BYTES_MAX;
