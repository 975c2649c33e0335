// One QMP conversation: greeting, capabilities, commands by id with a deadline, events in order. A closed socket ends
// every command under way; late and unknown answers are dropped.
import { Fault } from '../../../shared/result.ts';
import type { ByteStream } from '../../platform/byte-stream.ts';
import type { Clock, Timer } from '../../platform/ports.ts';
import { onLines } from '../../platform/socket.ts';
import { decodeQmp, encodeQmp, QMP_LINE_BYTES_MAX, type QmpMessage } from './codec.ts';

/** QEMU answers in milliseconds; under TCG and load a state change may take seconds. */
const COMMAND_TIMEOUT_MS = 10_000;
const COMMANDS_IN_FLIGHT_MAX = 64;

export type QmpArguments = Readonly<Record<string, unknown>>;
export type QmpEventListener = (name: string, data: QmpArguments) => void;

interface Waiting {
  readonly execute: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (fault: Fault) => void;
  readonly timer: Timer;
}

const fault = (code: 'qemu.refused' | 'vm.died' | 'vm.timeout', what: string, todo: string): Fault =>
  new Fault({ code, what, safe: 'The VM and its disks are as they were.', todo });

export class QmpSession {
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  readonly #events = new Set<QmpEventListener>();
  readonly #closes = new Set<() => void>();
  #nextId = 1;
  #isOpen = true;
  version = '';

  private constructor(stream: ByteStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
    stream.onClose(() => this.#end());
  }

  /** Resolves when commands may be given. `stream` is a fresh connection: QEMU greets only one client at a time. */
  static async open(stream: ByteStream, clock: Clock): Promise<QmpSession> {
    const session = new QmpSession(stream, clock);
    const greeted = new Promise<void>((resolve, reject) => {
      const timer = clock.after(COMMAND_TIMEOUT_MS, () => {
        stream.destroy();
        reject(
          fault(
            'vm.timeout',
            `QEMU did not greet within ${COMMAND_TIMEOUT_MS / 1000} s.`,
            'Another tool may hold its QMP socket.',
          ),
        );
      });
      session.#closes.add(() => {
        timer.cancel();
        reject(fault('vm.died', 'QEMU closed its QMP socket before greeting.', "Look at the VM's log."));
      });
      onLines(stream, QMP_LINE_BYTES_MAX, line => {
        const message = decodeQmp(line);
        if (message?.kind === 'greeting') {
          timer.cancel();
          session.version = message.version;
          resolve();
        } else if (message !== null) session.#receive(message);
      });
    });
    await greeted;
    await session.execute('qmp_capabilities');
    return session;
  }

  /** Faults: qemu.refused with QEMU's words, vm.timeout, vm.died. */
  execute(command: string, args?: QmpArguments, timeoutMs = COMMAND_TIMEOUT_MS): Promise<unknown> {
    if (!this.#isOpen) return Promise.reject(gone(command));
    if (this.#waiting.size >= COMMANDS_IN_FLIGHT_MAX) {
      return Promise.reject(
        fault(
          'vm.timeout',
          `${COMMANDS_IN_FLIGHT_MAX} QMP commands are unanswered.`,
          'QEMU hangs; force the VM off.',
        ),
      );
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(
          fault(
            'vm.timeout',
            `QEMU did not answer ${command} within ${timeoutMs / 1000} s.`,
            'Wait, or force the VM off.',
          ),
        );
      });
      this.#waiting.set(id, { execute: command, resolve, reject, timer });
      this.#stream.write(Buffer.from(`${encodeQmp(id, command, args)}\n`));
    });
  }

  onEvent(listener: QmpEventListener): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }

  /** `listener` is called once; at once when the session has ended already. */
  onClose(listener: () => void): void {
    if (this.#isOpen) this.#closes.add(listener);
    else listener();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  close(): void {
    this.#stream.destroy();
    this.#end();
  }

  #receive(message: QmpMessage): void {
    switch (message.kind) {
      case 'event':
        for (const listener of [...this.#events]) listener(message.name, message.data);
        return;
      case 'reply':
        return this.#take(message.id)?.resolve(message.value);
      case 'failure': {
        const waiting = message.id === null ? undefined : this.#take(message.id);
        return waiting?.reject(
          new Fault({
            code: message.errorClass === 'DeviceNotActive' ? 'memory.no-balloon' : 'qemu.refused',
            what: `QEMU refused ${waiting.execute}: ${message.desc}`,
            safe: 'The VM goes on as it was.',
            todo: "Look at the VM's log.",
            data: { class: message.errorClass },
          }),
        );
      }
      case 'greeting':
        return;
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.timer.cancel();
    return waiting;
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const { execute, reject, timer } of this.#waiting.values()) {
      timer.cancel();
      reject(gone(execute));
    }
    this.#waiting.clear();
    for (const listener of [...this.#closes]) listener();
  }
}

const gone = (command: string): Fault =>
  fault('vm.died', `QEMU ended before it answered ${command}.`, 'Start the VM again.');
