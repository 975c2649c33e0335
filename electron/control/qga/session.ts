// One conversation with QEMU's guest agent: a question at a time, each with a deadline. Answers have no ids, so after
// silence both ends synchronize first. Nothing is read while nothing is asked: a guest that talks is not listened to.
import { Fault } from '../../../shared/result.ts';
import type { ByteStream } from '../../platform/byte-stream.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import { onLines } from '../../platform/socket.ts';
import {
  AGENT_LINE_BYTES_MAX,
  type AgentAnswer,
  afterSentinel,
  decodeAgent,
  encodeAgent,
  encodeSync,
} from './codec.ts';

const QUESTION_MS = 5_000;
const QUESTIONS_WAITING_MAX = 8;
/** Lines between a question and its answer: what an earlier listener left, and no more. */
const RUBBISH_LINES_MAX = 1_000;
const SYNC_ID_MAX = 2 ** 31;

export type AgentArguments = Readonly<Record<string, unknown>>;

interface Open {
  /** True: this line was its answer. */
  readonly take: (line: string) => boolean;
  readonly fail: (fault: Fault) => void;
  lines: number;
}

const fault = (code: 'qemu.refused' | 'vm.timeout' | 'vm.died', what: string): Fault =>
  new Fault({ code, what, safe: 'The VM goes on as it was.', todo: 'Look at the agent inside the guest.' });

export class GuestAgent {
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  #open: Open | null = null;
  #isEnded = false;
  #isInStep = false;
  #syncId: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** `stream` is a fresh connection: QEMU listens to one client at a time. */
  constructor(stream: ByteStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    // Answers to an earlier control's questions may still be on their way: its sync ids must not come again.
    this.#syncId = Math.floor(clock.wallMs()) % SYNC_ID_MAX;
    stream.onClose(() => this.#end());
    onLines(stream, AGENT_LINE_BYTES_MAX, line => this.#receive(line));
    stream.pause();
  }

  get isOpen(): boolean {
    return !this.#isEnded;
  }

  close(): void {
    this.#stream.destroy();
    this.#end();
  }

  /** Faults: qemu.refused with the agent's words, vm.timeout, vm.died. */
  ask(command: string, args?: AgentArguments, timeoutMs = QUESTION_MS): Promise<unknown> {
    if (this.#waiting >= QUESTIONS_WAITING_MAX)
      return Promise.reject(
        fault('vm.timeout', `${QUESTIONS_WAITING_MAX} questions wait for the guest's agent.`),
      );
    this.#waiting++;
    const asked = this.#last
      .then(() => this.#ask(command, args, timeoutMs))
      .finally(() => {
        this.#waiting--;
      });
    this.#last = asked.catch(() => undefined);
    return asked;
  }

  async #ask(command: string, args: AgentArguments | undefined, timeoutMs: number): Promise<unknown> {
    if (!this.#isInStep) await this.#synchronize(timeoutMs);
    const answer = await this.#exchange(command, encodeAgent(command, args), timeoutMs, decodeAgent);
    if (answer.kind === 'reply') return answer.value;
    throw fault('qemu.refused', `The guest's agent refused ${command}: ${answer.desc}`);
  }

  async #synchronize(timeoutMs: number): Promise<void> {
    const id = (this.#syncId + 1) % SYNC_ID_MAX;
    this.#syncId = id;
    await this.#exchange('guest-sync-delimited', encodeSync(id), timeoutMs, line => {
      const answer = decodeAgent(afterSentinel(line) ?? '');
      return answer?.kind === 'reply' && answer.value === id ? answer : null;
    });
    this.#isInStep = true;
  }

  #exchange(
    what: string,
    question: Buffer,
    timeoutMs: number,
    read: (line: string) => AgentAnswer | null,
  ): Promise<AgentAnswer> {
    if (this.#isEnded) return Promise.reject(gone(what));
    return new Promise((resolve, reject) => {
      const timer: Timer = this.#clock.after(timeoutMs, () => {
        this.#isInStep = false;
        this.#open?.fail(
          fault('vm.timeout', `The guest's agent did not answer ${what} within ${timeoutMs / 1000} s.`),
        );
      });
      const done = (): void => {
        timer.cancel();
        this.#open = null;
        this.#stream.pause();
      };
      this.#open = {
        lines: 0,
        take: line => {
          const answer = read(line);
          if (answer === null) return false;
          done();
          resolve(answer);
          return true;
        },
        fail: cause => {
          done();
          reject(cause);
        },
      };
      this.#stream.resume();
      this.#stream.write(question);
    });
  }

  /** What nobody asked for is dropped. */
  #receive(line: string): void {
    const open = this.#open;
    if (open === null || open.take(line)) return;
    open.lines++;
    if (open.lines > RUBBISH_LINES_MAX) this.close();
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#open?.fail(gone('what it was asked'));
  }
}

const gone = (what: string): Fault =>
  fault('vm.died', `The guest's agent was gone before it answered ${what}.`);
