// What an NBD server may answer to bytes that somebody sent, read by the specification ("Transmission", "Structured replies",
// "Option haggling") and independently of our server: the requests in them, what they do to a disk, and whether each reply
// is one of a request, of its form, with an error of the list, or with exactly the data the disk held then.

const REQUEST_MAGIC = 0x25609513;
const SIMPLE_MAGIC = 0x67446698;
const STRUCTURED_MAGIC = 0x668e33ef;
const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
const REQUEST_BYTES = 28;
/** EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN. */
const ERRORS = new Set([1, 5, 12, 22, 28, 75, 95, 108]);
const FLAGS: Readonly<Record<number, number>> = { 0: 5, 1: 1, 3: 1, 4: 1, 6: 19, 7: 9 };
const [READ, WRITE, DISC, FLUSH, TRIM, WRITE_ZEROES, BLOCK_STATUS] = [0, 1, 2, 3, 4, 6, 7];
const [FUA, FAST_ZERO] = [1, 16];

export interface Asked {
  readonly cookie: bigint;
  readonly command: number;
  readonly offset: number;
  readonly length: number;
  /** As it stands it can be carried out; a fast zero may be refused all the same. */
  readonly isFine: boolean;
  readonly mayBeRefused: boolean;
  /** Answered when a flush is done: by then a client that says no more may have been let go. */
  readonly waits: boolean;
  /** Of a READ: what the disk held when it was its turn. */
  readonly data: Buffer | null;
}

/** The requests in these bytes, in order; `disk` becomes what they make of it, whole units of it where it is trimmed. */
export function interpret(bytes: Buffer, disk: Buffer, trimUnit: number): Asked[] {
  const asked: Asked[] = [];
  for (let at = 0; at + REQUEST_BYTES <= bytes.length; ) {
    if (bytes.readUInt32BE(at) !== REQUEST_MAGIC) break;
    const [flags, command] = [bytes.readUInt16BE(at + 4), bytes.readUInt16BE(at + 6)];
    const cookie = bytes.readBigUInt64BE(at + 8);
    const [offset, length] = [Number(bytes.readBigUInt64BE(at + 16)), bytes.readUInt32BE(at + 24)];
    if (command === DISC) break;
    at += REQUEST_BYTES;
    const inRange = length > 0 && offset % 512 === 0 && length % 512 === 0 && offset + length <= disk.length;
    const fits = command === FLUSH ? offset === 0 && length === 0 : inRange;
    const isFine = FLAGS[command] !== undefined && (flags & ~(FLAGS[command] ?? 0)) === 0 && fits;
    if (command === WRITE) {
      // What is refused is answered when its payload has come, too.
      if (at + length > bytes.length) break;
      if (isFine) bytes.copy(disk, offset, at, at + length);
      at += length;
    }
    const data = command === READ && isFine ? Buffer.from(disk.subarray(offset, offset + length)) : null;
    const isFast = command === WRITE_ZEROES && (flags & FAST_ZERO) !== 0;
    // A fast zero changes nothing: it is granted only where zeros are already.
    const unit = command === TRIM ? trimUnit : 1;
    const [from, to] = [Math.ceil(offset / unit) * unit, Math.floor((offset + length) / unit) * unit];
    const isZeroed = command === TRIM || (command === WRITE_ZEROES && !isFast);
    if (isZeroed && isFine && from < to) disk.fill(0, from, to);
    const waits = isFine && (command === FLUSH || (flags & FUA) !== 0);
    asked.push({ cookie, command, offset, length, isFine, mayBeRefused: isFast, waits, data });
  }
  return asked;
}

interface Reply {
  readonly cookie: bigint;
  readonly error: number;
  /** Null: a simple reply. */
  readonly type: number | null;
  readonly payload: Buffer;
}

/** All of them, whole; throws at what is no reply. */
function repliesIn(received: Buffer): Reply[] {
  const replies: Reply[] = [];
  for (let at = 0; at < received.length; ) {
    const magic = received.readUInt32BE(at);
    if (magic === SIMPLE_MAGIC) {
      const [error, cookie] = [received.readUInt32BE(at + 4), received.readBigUInt64BE(at + 8)];
      replies.push({ cookie, error, type: null, payload: Buffer.alloc(0) });
      at += 16;
      continue;
    }
    if (magic !== STRUCTURED_MAGIC) throw new Error(`reply magic 0x${magic.toString(16)}`);
    const [flags, type] = [received.readUInt16BE(at + 4), received.readUInt16BE(at + 6)];
    const [cookie, length] = [received.readBigUInt64BE(at + 8), received.readUInt32BE(at + 16)];
    if (flags !== 1) throw new Error(`a chunk that is not the last: flags ${flags}`);
    if (at + 20 + length > received.length) throw new Error('a reply is cut off');
    const payload = received.subarray(at + 20, at + 20 + length);
    const isError = (type & 0x8000) !== 0;
    if (isError && payload.length !== 6 + payload.readUInt16BE(4)) throw new Error('an error of odd length');
    replies.push({ cookie, error: isError ? payload.readUInt32BE(0) : 0, type, payload });
    at += 20 + length;
  }
  return replies;
}

/** Null: it answers that request rightly; else what is wrong with it. */
function wrongWith({ error, type, payload }: Reply, request: Asked): string | null {
  if (error !== 0) {
    if (!ERRORS.has(error)) return `error ${error} is not of the list`;
    return request.isFine && !request.mayBeRefused ? `refused with ${error}` : null;
  }
  if (!request.isFine) return 'what cannot be was granted';
  const { command, offset, length, data } = request;
  if (command === READ) {
    if (type !== 1 && type !== 2) return `READ was answered with type ${type}`;
    if (payload.readBigUInt64BE(0) !== BigInt(offset)) return 'data of another place';
    const found = type === 1 ? payload.subarray(8) : Buffer.alloc(payload.readUInt32BE(8));
    return data?.equals(found) === true ? null : 'other data than the disk held';
  }
  if (command !== BLOCK_STATUS) return type === null || type === 0 ? null : `answered with type ${type}`;
  if (type !== 5) return `BLOCK_STATUS was answered with type ${type}`;
  let covered = 0;
  for (let at = 4; at < payload.length; at += 8) covered += payload.readUInt32BE(at);
  return covered > 0 && covered <= length ? null : `${covered} bytes told of ${length}`;
}

/** What is wrong with these answers; every request is to have one, and only one; what waits for a flush may. */
export function wrongReplies(received: Buffer, asked: readonly Asked[]): string[] {
  const open = [...asked];
  const wrong: string[] = [];
  for (const reply of repliesIn(received)) {
    const same = open.filter(({ cookie }) => cookie === reply.cookie);
    if (same.length === 0) wrong.push(`an answer to ${reply.cookie}, which nobody asked`);
    const verdicts = same.map(request => wrongWith(reply, request));
    const right = verdicts.indexOf(null);
    if (same.length > 0 && right < 0) wrong.push(`${reply.cookie}: ${verdicts.join(', or ')}`);
    const answered = same[Math.max(0, right)];
    if (answered !== undefined) open.splice(open.indexOf(answered), 1);
  }
  const silent = open.filter(({ waits }) => !waits);
  return [...wrong, ...silent.map(({ cookie, command }) => `no answer to ${cookie} (command ${command})`)];
}

/** What is wrong with the answers of the handshake, the greeting first. */
export function wrongGreetings(received: Buffer): string[] {
  if (received.toString('latin1', 0, 16) !== 'NBDMAGICIHAVEOPT') return ['no greeting'];
  for (let at = 18; at < received.length; ) {
    // EXPORT_NAME is answered without a header: size, flags and, unless that was declined, 124 zeros.
    const isHeaderless = received.length - at === 10 || received.length - at === 134;
    if (received.readBigUInt64BE(at) !== OPTION_REPLY_MAGIC) return isHeaderless ? [] : ['no option reply'];
    const [type, length] = [received.readUInt32BE(at + 12), received.readUInt32BE(at + 16)];
    if (type === 0 || (type > 4 && type < 0x80000001) || type > 0x8000000a) return [`option reply ${type}`];
    if (at + 20 + length > received.length) return ['an option reply is cut off'];
    at += 20 + length;
  }
  return [];
}
