// The transmission phase without a socket: takes requests off an inbox, works on the volume, puts replies in
// an outbox. Knows neither streams nor timers, so that a blocking thread can drive it as well as an event
// loop. Data calls are synchronous; FLUSH, FUA and reads from a cold disk wait, and never hold up the
// requests behind them.
import { Fault } from '../../../shared/result.ts';
import type { Volume } from '../volume.ts';
import { Coldness, type LateReads } from './coldness.ts';
import { NBD_ERROR, type NbdError, toNbdError } from './errno.ts';
import type { Inbox } from './inbox.ts';
import type { Outbox } from './outbox.ts';
import { type LateReply, lateReply, replyError, replyExtents, replyHole, replyRead } from './replies.ts';
import {
  decodeRequest,
  newRequest,
  type Rejection,
  type Request,
  type RequestLimits,
  validateRequest,
} from './request.ts';
import { NBD_CMD, NBD_CMD_FLAG, REQUEST_BYTES, SKIP_BYTES_MAX } from './wire.ts';

/** One turn's work, so that one client never holds the thread: about 5 ms of page-cache copying. */
const TURN_BYTES = 16 * 1024 * 1024;
/** What a request costs in bytes of budget besides its own: a system call or two. */
const REQUEST_COST = 4096;
/** TRIM and WRITE_ZEROES may cover 4 GiB; they are carried out in slices, a turn each. */
const SLICE_BYTES = 16 * 1024 * 1024;
/** Requests that wait for a flush; QEMU has 16 in flight, fio at most 256. */
export const FLUSH_WAITERS_MAX = 1024;
/** How many reads a disk is asked at a time: as many as QEMU's own threads would. */
const LATE_READS_MAX = 32;
/** The longest read that waits: the kernel reads ahead for longer ones. Bounds the memory of waiters. */
const LATE_BYTES_MAX = 256 * 1024;
/** The largest reply buffer that is kept for reuse. */
const SPARE_BYTES_MAX = 128 * 1024;
/** Runs of zeros looked at before a fast zero is refused. */
const FAST_ZERO_EXTENTS = 16;

/**
 * hungry: give it more bytes. full: too many requests wait for a flush or the disk, go on when one is done.
 * yield: let others have the thread, then go on. ended: nothing more is read; `why` is null after DISC.
 */
export type Turn =
  | { readonly kind: 'hungry' | 'full' | 'yield' }
  | { readonly kind: 'ended'; readonly why: string | null };

const HUNGRY: Turn = { kind: 'hungry' };
const FULL: Turn = { kind: 'full' };
const YIELD: Turn = { kind: 'yield' };

interface Job {
  readonly request: Request;
  doneBytes: number;
}

/**
 * A refused write. It is answered once its payload was skipped: libnbd takes an earlier answer for nonsense.
 */
interface RefusedWrite {
  readonly request: Request;
  readonly rejected: Rejection;
  skipBytes: number;
}

export interface TransmissionOptions {
  readonly volume: Volume;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly structured: boolean;
  readonly blockStatus: boolean;
  /** True: replies leave too slowly; no more work until they have left. */
  isCongested(): boolean;
  readonly lateReads?: LateReads | undefined;
  /** Monotonic, ms with a fraction. */
  nowMs(): number;
  /** Runs `run` once everything that is ready by then has been heard of. */
  soon(run: () => void): void;
  /** Called when what waited has ended and its replies have left. `bug`: one found on the way, or null. */
  onLate(bug: unknown): void;
}

export class Transmission {
  readonly #options: TransmissionOptions;
  readonly #limits: RequestLimits;
  readonly #request: Request = newRequest();
  #job: Job | null = null;
  #refused: RefusedWrite | null = null;
  #waiters: Request[] = [];
  #flushing: Request[] = [];
  readonly #coldness: Coldness;
  #reading = 0;
  /** Buffers of replies that have left, for reuse: most reads are as long as the one before. */
  readonly #spares: Buffer[] = [];
  #isTelling = false;

  constructor(options: TransmissionOptions) {
    this.#options = options;
    const { volume, structured, blockStatus } = options;
    this.#coldness = new Coldness(options.nowMs, options.lateReads);
    this.#limits = { sizeBytes: volume.sizeBytes, readOnly: volume.readOnly, structured, blockStatus };
  }

  /** Requests whose reply waits for a flush or the disk. */
  get waiting(): number {
    // A reply that has arrived and not left yet counts as well.
    return this.#waiters.length + this.#flushing.length + this.#reading + (this.#isTelling ? 1 : 0);
  }

  /** Works until it must stop, and sends the replies it has. */
  run(): Turn {
    const turn = this.#turn();
    this.#options.outbox.flush();
    this.#startFlush();
    return turn;
  }

  #turn(): Turn {
    let budget = TURN_BYTES;
    for (;;) {
      const isFull = this.waiting >= FLUSH_WAITERS_MAX || this.#reading >= LATE_READS_MAX;
      if (isFull || this.#options.isCongested()) return FULL;
      if (budget <= 0) return YIELD;
      if (this.#job !== null) {
        budget -= this.#slice(this.#job);
        continue;
      }
      const next = this.#next();
      if (typeof next !== 'number') return next;
      budget -= next;
    }
  }

  /** Handles one request: answers what it cost, or why there is none. */
  #next(): number | Turn {
    const { inbox } = this.#options;
    if (this.#refused !== null) return this.#skip(this.#refused);
    if (inbox.length < REQUEST_BYTES) return HUNGRY;
    const request = this.#request;
    if (!decodeRequest(inbox.bytes, inbox.start, request)) return ended('a request without its magic');
    if (request.command === NBD_CMD.DISC) return ended(null);
    if (request.command !== NBD_CMD.WRITE) {
      inbox.consume(REQUEST_BYTES);
      this.#perform(request);
      return REQUEST_COST + (request.command === NBD_CMD.READ ? request.lengthBytes : 0);
    }
    return this.#nextWrite(request);
  }

  #nextWrite(request: Request): number | Turn {
    const { inbox } = this.#options;
    const rejected = validateRequest(request, this.#limits);
    if (rejected !== null) {
      if (request.lengthBytes > SKIP_BYTES_MAX) return ended(`a write of ${request.lengthBytes} bytes`);
      inbox.consume(REQUEST_BYTES);
      this.#refused = { request: { ...request }, rejected, skipBytes: request.lengthBytes };
      return REQUEST_COST;
    }
    const wholeBytes = REQUEST_BYTES + request.lengthBytes;
    if (inbox.length < wholeBytes) {
      inbox.expect(wholeBytes);
      return HUNGRY;
    }
    const from = inbox.start + REQUEST_BYTES;
    this.#attempt(request, () => {
      this.#options.volume.write(inbox.bytes.subarray(from, from + request.lengthBytes), request.offsetBytes);
      this.#written(request);
    });
    inbox.consume(wholeBytes);
    return REQUEST_COST + request.lengthBytes;
  }

  #skip(refused: RefusedWrite): number | Turn {
    const { inbox } = this.#options;
    const skipped = Math.min(refused.skipBytes, inbox.length);
    inbox.consume(skipped);
    refused.skipBytes -= skipped;
    if (refused.skipBytes > 0) return HUNGRY;
    this.#refused = null;
    this.#error(refused.request, refused.rejected.error, refused.rejected.why);
    return 0;
  }

  #perform(request: Request): void {
    const rejected = validateRequest(request, this.#limits);
    if (rejected !== null) {
      this.#error(request, rejected.error, rejected.why);
      return;
    }
    switch (request.command) {
      case NBD_CMD.READ:
        this.#attempt(request, () => this.#read(request));
        return;
      case NBD_CMD.BLOCK_STATUS:
        this.#attempt(request, () => replyExtents(request, this.#options));
        return;
      case NBD_CMD.FLUSH:
        this.#waiters.push({ ...request });
        return;
      default:
        this.#attempt(request, () => this.#startJob(request));
    }
  }

  #read(request: Request): void {
    if (replyHole(request, this.#options)) return;
    const { inbox, volume } = this.#options;
    const hasOthers = this.#reading > 0 || inbox.length >= REQUEST_BYTES;
    const canWait = volume.readLater !== undefined && request.lengthBytes <= LATE_BYTES_MAX;
    if (canWait && this.#coldness.isNextLate(hasOthers)) return this.#readLater({ ...request });
    this.#coldness.timed(request.lengthBytes, () => replyRead(request, this.#options));
  }

  #readLater(request: Request): void {
    const reply = lateReply(request, this.#options.structured, this.#spares.pop());
    this.#reading++;
    const reading = this.#options.volume.readLater?.(reply.data, request.offsetBytes);
    reading?.then(
      () => this.#arrived(request, reply, null),
      (error: unknown) => this.#arrived(request, reply, error),
    );
  }

  #arrived(request: Request, { bytes }: LateReply, error: unknown): void {
    this.#reading--;
    if (error === null) this.#options.outbox.add(bytes, () => this.#spare(bytes));
    else if (error instanceof Fault) this.#fault(request, error);
    else this.#options.onLate(error);
    if (this.#isTelling) return;
    this.#isTelling = true;
    // Replies that arrived together leave together.
    this.#options.soon(() => {
      this.#isTelling = false;
      this.#options.outbox.flush();
      this.#options.onLate(null);
    });
  }

  #spare(bytes: Buffer): void {
    const isKept = bytes.length <= SPARE_BYTES_MAX && this.#spares.length < LATE_READS_MAX;
    if (isKept) this.#spares.push(bytes);
  }

  #startJob(request: Request): void {
    if ((request.flags & NBD_CMD_FLAG.FAST_ZERO) !== 0) {
      // Zeroing may have to write; it is fast only where the range is zeros already.
      const isDone = (request.flags & NBD_CMD_FLAG.NO_HOLE) === 0 && this.#isZero(request);
      if (isDone) this.#written(request);
      else this.#error(request, NBD_ERROR.ENOTSUP, 'zeroing here is not faster than writing');
      return;
    }
    this.#job = { request: { ...request }, doneBytes: 0 };
  }

  #isZero(request: Request): boolean {
    const { offsetBytes, lengthBytes } = request;
    const extents = this.#options.volume.extents(offsetBytes, lengthBytes, FAST_ZERO_EXTENTS);
    const covered = extents.reduce((sum, extent) => sum + extent.length, 0);
    return covered === lengthBytes && extents.every(extent => extent.state === 'zero');
  }

  /** Carries out one slice of a TRIM or WRITE_ZEROES; answers what it cost. */
  #slice(job: Job): number {
    const { request } = job;
    const length = Math.min(SLICE_BYTES, request.lengthBytes - job.doneBytes);
    const at = request.offsetBytes + job.doneBytes;
    const wentWell = this.#attempt(request, () => {
      const { volume } = this.#options;
      if (request.command === NBD_CMD.TRIM) volume.trim(at, length);
      else volume.zero(at, length, (request.flags & NBD_CMD_FLAG.NO_HOLE) === 0);
    });
    job.doneBytes += length;
    if (!wentWell) this.#job = null;
    else if (job.doneBytes === request.lengthBytes) {
      this.#job = null;
      this.#written(request);
    }
    return REQUEST_COST + length;
  }

  /** The change is visible. With FUA the client is told only when it is durable (T10). */
  #written(request: Request): void {
    if ((request.flags & NBD_CMD_FLAG.FUA) !== 0) this.#waiters.push({ ...request });
    else this.#options.outbox.simple(request, 0);
  }

  /** A fault of the volume becomes the request's answer; anything else is a bug and goes up. */
  #attempt(request: Request, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#fault(request, error);
      return false;
    }
  }

  #fault(request: Request, { body }: Fault): void {
    this.#error(request, toNbdError(body.code), body.what);
  }

  #error(request: Request, error: NbdError, why: string): void {
    replyError(request, { error, why }, this.#options);
  }

  /** One flush at a time per connection: requests that come meanwhile share the next one. */
  #startFlush(): void {
    if (this.#flushing.length > 0 || this.#waiters.length === 0) return;
    this.#flushing = this.#waiters;
    this.#waiters = [];
    this.#options.volume.flush().then(
      () => this.#finishFlush(null),
      (error: unknown) => this.#finishFlush(error),
    );
  }

  #finishFlush(error: unknown): void {
    const { outbox, onLate } = this.#options;
    const done = this.#flushing;
    this.#flushing = [];
    for (const request of done) {
      if (error === null) outbox.simple(request, 0);
      else if (error instanceof Fault) this.#fault(request, error);
    }
    outbox.flush();
    this.#startFlush();
    onLate(error === null || error instanceof Fault ? null : error);
  }
}

const ended = (why: string | null): Turn => ({ kind: 'ended', why });
