// Replies that carry more than an error number: data, holes, extents, structured errors.
// Source: proto.md "Structured replies".
import type { Volume } from '../volume.ts';
import { type Outbox, putChunk, putSimple } from './outbox.ts';
import type { Rejection, Request } from './request.ts';
import {
  CHUNK_HEADER_BYTES,
  META_CONTEXT_ID,
  NBD_CMD_FLAG,
  NBD_REPLY_FLAG_DONE,
  NBD_REPLY_TYPE,
  NBD_STATE_HOLE,
  NBD_STATE_ZERO,
  SIMPLE_REPLY_BYTES,
} from './wire.ts';

interface ReplyContext {
  readonly volume: Volume;
  readonly outbox: Outbox;
  readonly structured: boolean;
}

/** A smaller read costs less than asking whether it is a hole. */
const HOLE_BYTES_MIN = 64 * 1024;
const EXTENTS_MAX = 1024;
const MESSAGE_BYTES_MAX = 1024;

/** Answers a read without data where there is none, if the client understands that. False: not answered. */
export function replyHole(request: Request, { volume, outbox, structured }: ReplyContext): boolean {
  if (!structured || !isHole(request, volume)) return false;
  const hole = outbox.chunk(request, NBD_REPLY_TYPE.OFFSET_HOLE, NBD_REPLY_FLAG_DONE, 12);
  writeOffset(hole, request.offsetBytes);
  hole.writeUInt32BE(request.lengthBytes, 8);
  return true;
}

/** Reads straight into the outgoing buffer. Throws the volume's Fault with no reply left behind. */
export function replyRead(request: Request, { volume, outbox, structured }: ReplyContext): void {
  const { offsetBytes, lengthBytes } = request;
  if (!structured) {
    readInto(volume, outbox, outbox.simpleWithData(request, lengthBytes), offsetBytes, SIMPLE_REPLY_BYTES);
    return;
  }
  const payload = outbox.chunk(request, NBD_REPLY_TYPE.OFFSET_DATA, NBD_REPLY_FLAG_DONE, 8 + lengthBytes);
  writeOffset(payload, offsetBytes);
  readInto(volume, outbox, payload.subarray(8), offsetBytes, CHUNK_HEADER_BYTES + 8);
}

/** The reply to a read whose data comes later: the whole reply, and the part that the data fills. */
export interface LateReply {
  readonly bytes: Buffer;
  readonly data: Buffer;
}

/** `spare`: a buffer to be used if it is exactly as long as the reply. */
export function lateReply(request: Request, structured: boolean, spare?: Buffer): LateReply {
  const { offsetBytes, lengthBytes } = request;
  const headerBytes = structured ? CHUNK_HEADER_BYTES + 8 : SIMPLE_REPLY_BYTES;
  const wholeBytes = headerBytes + lengthBytes;
  const bytes = spare?.length === wholeBytes ? spare : Buffer.allocUnsafeSlow(wholeBytes);
  const data = bytes.subarray(headerBytes);
  if (structured) {
    const chunk = { type: NBD_REPLY_TYPE.OFFSET_DATA, flags: NBD_REPLY_FLAG_DONE };
    putChunk(bytes, 0, request, { ...chunk, payloadBytes: 8 + lengthBytes });
    writeOffset(bytes.subarray(CHUNK_HEADER_BYTES), offsetBytes);
  } else putSimple(bytes, 0, request, 0);
  return { bytes, data };
}

function readInto(volume: Volume, outbox: Outbox, target: Buffer, offsetBytes: number, before: number): void {
  try {
    volume.read(target, offsetBytes);
  } catch (error) {
    outbox.drop(before + target.length);
    throw error;
  }
}

function isHole(request: Request, volume: Volume): boolean {
  if (request.lengthBytes < HOLE_BYTES_MIN || (request.flags & NBD_CMD_FLAG.DF) !== 0) return false;
  const first = volume.extents(request.offsetBytes, request.lengthBytes, 1)[0];
  return first?.state === 'zero' && first.length === request.lengthBytes;
}

/** Neighbouring extents of one state become one descriptor, as the specification asks. */
export function replyExtents(request: Request, { volume, outbox }: ReplyContext): void {
  const limit = (request.flags & NBD_CMD_FLAG.REQ_ONE) !== 0 ? 1 : EXTENTS_MAX;
  const rows: { length: number; flags: number }[] = [];
  for (const extent of volume.extents(request.offsetBytes, request.lengthBytes, limit)) {
    const flags = extent.state === 'zero' ? NBD_STATE_HOLE | NBD_STATE_ZERO : 0;
    const last = rows.at(-1);
    if (last?.flags === flags) last.length += extent.length;
    else rows.push({ length: extent.length, flags });
  }
  const payload = outbox.chunk(
    request,
    NBD_REPLY_TYPE.BLOCK_STATUS,
    NBD_REPLY_FLAG_DONE,
    4 + 8 * rows.length,
  );
  payload.writeUInt32BE(META_CONTEXT_ID, 0);
  rows.forEach((row, index) => {
    payload.writeUInt32BE(row.length, 4 + 8 * index);
    payload.writeUInt32BE(row.flags, 8 + 8 * index);
  });
}

/** With structured replies the reason is sent in words, too. */
export function replyError(
  request: Request,
  rejection: Rejection,
  { outbox, structured }: ReplyContext,
): void {
  if (!structured) {
    outbox.simple(request, rejection.error);
    return;
  }
  const words = new TextEncoder().encode(rejection.why).subarray(0, MESSAGE_BYTES_MAX);
  const chunk = outbox.chunk(request, NBD_REPLY_TYPE.ERROR, NBD_REPLY_FLAG_DONE, 6 + words.length);
  chunk.writeUInt32BE(rejection.error, 0);
  chunk.writeUInt16BE(words.length, 4);
  chunk.set(words, 6);
}

function writeOffset(into: Buffer, offsetBytes: number): void {
  into.writeUInt32BE(Math.floor(offsetBytes / 2 ** 32), 0);
  into.writeUInt32BE(offsetBytes % 2 ** 32, 4);
}
