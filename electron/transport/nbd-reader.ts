// An NBD client: how the CLI gets at a point's bytes. Reads a whole export from front to back, with requests
// sent ahead of their replies, and ends at the first that fails; or only waits until the export ends. Numbers
// as in the NBD specification (proto.md).
import { Fault } from '../../shared/result.ts';
import type { ByteStream } from '../platform/byte-stream.ts';

const IHAVEOPT = Buffer.from('IHAVEOPT');
const OPT_EXPORT_NAME = 1;
const FIXED_NEWSTYLE_NO_ZEROES = 3;
const GREETING_BYTES = 18;
/** Size and flags: the whole answer to OPT_EXPORT_NAME. */
const EXPORT_BYTES = 10;
const REQUEST_MAGIC = 0x25609513;
const REPLY_MAGIC = 0x67446698;
const REPLY_BYTES = 16;
const CMD_READ = 0;
const CMD_DISC = 2;
const PIECE_BYTES = 1024 * 1024;
const AHEAD = 4;

/** Calls `each` with the pieces in order, and awaits it. Throws Fault storage.unavailable, disk.io. */
export async function readExport(
  stream: ByteStream,
  exportName: string,
  each: (piece: Uint8Array, offset: number, sizeBytes: number) => Promise<void>,
): Promise<void> {
  const take = taker(stream);
  const sizeBytes = await negotiate(stream, take, exportName);
  const lengthAt = (offset: number): number => Math.min(PIECE_BYTES, sizeBytes - offset);
  let asked = 0;
  for (let offset = 0; offset < sizeBytes; offset += lengthAt(offset)) {
    for (; asked < sizeBytes && asked < offset + AHEAD * PIECE_BYTES; asked += lengthAt(asked))
      stream.write(request(CMD_READ, asked, lengthAt(asked)));
    const reply = await take(REPLY_BYTES);
    const isOurs = reply.readUInt32BE(0) === REPLY_MAGIC && reply.readBigUInt64BE(8) === BigInt(offset);
    if (!isOurs || reply.readUInt32BE(4) !== 0)
      throw failed('disk.io', `Reading the point failed at byte ${offset}.`);
    await each(await take(lengthAt(offset)), offset, sizeBytes);
  }
  stream.write(request(CMD_DISC, 0, 0));
  stream.end();
}

/** Resolves when the server hangs up, for whatever reason. */
export async function untilUnserved(stream: ByteStream, exportName: string): Promise<void> {
  const closed = new Promise<void>(resolve => stream.onClose(resolve));
  // The server hangs up on a client that connects and never negotiates.
  const opened = negotiate(stream, taker(stream), exportName).catch(() => undefined);
  await Promise.all([opened, closed]);
}

type Take = (count: number) => Promise<Buffer>;

/** Returns the size of the export in bytes. */
async function negotiate(stream: ByteStream, take: Take, exportName: string): Promise<number> {
  await take(GREETING_BYTES);
  const name = Buffer.from(exportName);
  stream.write(
    Buffer.concat([u32(FIXED_NEWSTYLE_NO_ZEROES), IHAVEOPT, u32(OPT_EXPORT_NAME), u32(name.length), name]),
  );
  return Number((await take(EXPORT_BYTES)).readBigUInt64BE(0));
}

/** Takes exact counts of bytes off the stream. No replies are matched: our server answers reads in order. */
function taker(stream: ByteStream): Take {
  const chunks: Buffer[] = [];
  let [held, isClosed] = [0, false];
  let wake: () => void = () => undefined;
  stream.onData(chunk => {
    chunks.push(chunk);
    held += chunk.length;
    wake();
  });
  stream.onClose(() => {
    isClosed = true;
    wake();
  });
  return async count => {
    while (held < count) {
      if (isClosed) throw failed('storage.unavailable', 'Storage closed the connection.');
      await new Promise<void>(resolve => {
        wake = resolve;
      });
    }
    const all = Buffer.concat(chunks);
    chunks.splice(0, chunks.length, all.subarray(count));
    held -= count;
    return all.subarray(0, count);
  };
}

function request(command: number, offset: number, length: number): Buffer {
  const header = Buffer.alloc(28);
  header.writeUInt32BE(REQUEST_MAGIC, 0);
  header.writeUInt16BE(command, 6);
  header.writeBigUInt64BE(BigInt(offset), 8);
  header.writeBigUInt64BE(BigInt(offset), 16);
  header.writeUInt32BE(length, 24);
  return header;
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

const failed = (code: 'disk.io' | 'storage.unavailable', what: string): Fault =>
  new Fault({ code, what, safe: 'The point is as it was.', todo: 'Try again.' });
