// One client: drives the handshake and then the transmission over a byte stream, with a deadline for the
// handshake and back-pressure in both directions for the transmission. A bad client ends its own connection
// and nothing else.
import { assertNever } from '../../../shared/result.ts';
import type { AcceptedStream, NextTurn, OpenAccepted } from '../../platform/byte-stream.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import type { Volume } from '../volume.ts';
import type { LateReads } from './coldness.ts';
import { Inbox } from './inbox.ts';
import { firstState, greeting, stepHandshake } from './negotiation.ts';
import type { ExportInfo, HandshakeState } from './options.ts';
import { Outbox } from './outbox.ts';
import { Transmission, type Turn } from './transmission.ts';

/** An honest handshake takes milliseconds, on a loaded machine seconds. */
export const HANDSHAKE_MS_MAX = 10_000;
/** Unsent replies above this stop the reading of requests. */
const UNSENT_BYTES_MAX = 4 * 1024 * 1024;

export interface ConnectionOptions {
  readonly open: OpenAccepted;
  readonly exports: () => readonly ExportInfo[];
  readonly volumeOf: (exportName: string) => Volume;
  readonly clock: Clock;
  readonly nextTurn: NextTurn;
  readonly handshakeMsMax: number;
  readonly lateReads?: LateReads | undefined;
  /** Why a client was turned away; one line. */
  readonly log: (line: string) => void;
  /** Called for a defect of ours; the connection is closed already. */
  readonly onBug: (error: unknown) => void;
  readonly onEnd: () => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #stream: AcceptedStream;
  readonly #inbox = new Inbox();
  readonly #deadline: Timer;
  #handshake: HandshakeState = firstState;
  #transmission: Transmission | null = null;
  /** The next turn is ordered already; work before it would serve requests twice. */
  #isYielding = false;
  #isPaused = false;
  #isEnding = false;
  #isClosed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { open, clock, handshakeMsMax } = options;
    const stream = open({
      room: () => this.#inbox.room(),
      filled: bytes => this.#guard(() => this.#receive(bytes)),
    });
    this.#stream = stream;
    stream.onDrain(() => this.#guard(() => this.#work()));
    stream.onClose(() => this.#closed());
    this.#deadline = clock.after(handshakeMsMax, () => this.#turnAway('no handshake in time'));
    stream.write(greeting());
  }

  /**
   * Ends the connection once what is acknowledged so far has left; a peer that does not take it is cut off.
   */
  close(): void {
    this.#end();
  }

  destroy(): void {
    this.#stream.destroy();
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#bug(error);
    }
  }

  #bug(error: unknown): void {
    this.destroy();
    this.#options.onBug(error);
  }

  #receive(bytes: number): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#inbox.filled(bytes);
    if (this.#transmission === null) this.#negotiate();
    this.#work();
  }

  #negotiate(): void {
    const { exports } = this.#options;
    const stream = this.#stream;
    for (;;) {
      const { bytes, start, end } = this.#inbox;
      const step = stepHandshake(this.#handshake, bytes.subarray(start, end), exports());
      if (step === null) return;
      this.#handshake = step.state;
      this.#inbox.consume(step.consumedBytes);
      if (step.reply.length > 0) stream.write(step.reply);
      if (step.outcome.kind === 'more') continue;
      if (step.outcome.kind === 'close') this.#turnAway(step.outcome.why);
      else this.#begin(step.outcome);
      return;
    }
  }

  #begin(chosen: { exportName: string; structured: boolean; blockStatus: boolean }): void {
    const { volumeOf, clock, nextTurn, lateReads } = this.#options;
    const stream = this.#stream;
    this.#deadline.cancel();
    const outbox = new Outbox((bytes, whenLeft) => stream.write(bytes, whenLeft));
    this.#transmission = new Transmission({
      volume: volumeOf(chosen.exportName),
      inbox: this.#inbox,
      outbox,
      structured: chosen.structured,
      blockStatus: chosen.blockStatus,
      isCongested: () => stream.unsentBytes() > UNSENT_BYTES_MAX,
      lateReads,
      nowMs: () => clock.monotonicMs(),
      soon: run => nextTurn(() => this.#guard(run)),
      onLate: bug => {
        if (bug !== null) this.#bug(bug);
        else this.#guard(() => this.#afterLate());
      },
    });
  }

  #afterLate(): void {
    if (this.#isEnding) this.#finish();
    else this.#work();
  }

  #work(): void {
    if (this.#transmission === null || this.#isYielding || this.#isEnding || this.#isClosed) return;
    this.#obey(this.#transmission.run());
  }

  #obey(turn: Turn): void {
    switch (turn.kind) {
      case 'hungry':
        this.#pause(false);
        return;
      case 'full':
        // A drain, a finished flush or read calls #work again.
        this.#pause(true);
        return;
      case 'yield':
        this.#pause(true);
        this.#isYielding = true;
        this.#options.nextTurn(() => {
          this.#isYielding = false;
          this.#guard(() => this.#work());
        });
        return;
      case 'ended':
        if (turn.why !== null) this.#options.log(`nbd: client sent ${turn.why}; connection closed`);
        this.#end();
        return;
      default:
        assertNever(turn);
    }
  }

  #pause(isPaused: boolean): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#stream.pause();
    else this.#stream.resume();
  }

  #turnAway(why: string): void {
    this.#options.log(`nbd: ${why}; connection closed`);
    this.#end();
  }

  /** Reads nothing more; requests that wait for a flush or the disk are still answered. */
  #end(): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    this.#deadline.cancel();
    this.#pause(false);
    this.#finish();
  }

  #finish(): void {
    if ((this.#transmission?.waiting ?? 0) === 0) this.#stream.end();
  }

  #closed(): void {
    this.#isClosed = true;
    this.#deadline.cancel();
    this.#options.onEnd();
  }
}
