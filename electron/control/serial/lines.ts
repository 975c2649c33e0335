// The serial lines of all VMs. A line is opened when somebody first looks, and kept until its QEMU ends.
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { CallContext } from '../../../shared/rpc/server.ts';
import type { ByteStream } from '../../platform/byte-stream.ts';
import type { Clock } from '../../platform/ports.ts';
import { SerialLine } from './line.ts';

const VIEWERS_MAX = 16;

export interface SerialPorts {
  readonly connect: (path: string) => Promise<ByteStream>;
  readonly clock: Clock;
}

export class SerialLines {
  readonly #ports: SerialPorts;
  readonly #lines = new Map<VmId, Promise<SerialLine>>();
  readonly #callers = new Map<number, CallContext['caller']>();
  /** How often `endOfBrowsers` was called: a line that a browser is opening notices it by that. */
  #ended = 0;

  constructor(ports: SerialPorts) {
    this.#ports = ports;
  }

  /** A second open by the same connection sends what was kept once more. */
  async open(vmId: VmId, socketPath: string, { caller, emit }: CallContext): Promise<void> {
    const ended = this.#ended;
    const line = await this.#lineOf(vmId, socketPath);
    if (ended !== this.#ended && caller.kind === 'browser') throw notOpen();
    if (!line.has(caller.id) && line.viewers >= VIEWERS_MAX) throw tooMany();
    line.join(caller.id, payload => emit('serial', vmId, payload));
    if (this.#callers.has(caller.id)) return;
    this.#callers.set(caller.id, caller);
    caller.onGone(() => {
      this.#callers.delete(caller.id);
      for (const one of this.#lines.values()) void one.then(open => open.leave(caller.id), nothing);
    });
  }

  #lineOf(vmId: VmId, socketPath: string): Promise<SerialLine> {
    const known = this.#lines.get(vmId);
    if (known !== undefined) return known;
    const { connect, clock } = this.#ports;
    const forget = (): void => {
      if (this.#lines.get(vmId) === opening) this.#lines.delete(vmId);
    };
    const opening = connect(socketPath).then(stream => new SerialLine(stream, clock, forget));
    this.#lines.set(vmId, opening);
    opening.catch(forget);
    return opening;
  }

  /** Faults: vm.wrong-state where it is not open, limit.reached where the guest does not listen. */
  async send(vmId: VmId, base64: string, { caller }: CallContext): Promise<void> {
    const line = await this.#opened(vmId);
    if (line?.has(caller.id) !== true) throw notOpen();
    if (!(await line.type(Buffer.from(base64, 'base64')))) throw unheard();
  }

  /** Browsers may not look any more; also those whose line is being opened. */
  endOfBrowsers(): void {
    this.#ended++;
    for (const { id, kind } of this.#callers.values())
      if (kind === 'browser')
        for (const one of this.#lines.values()) void one.then(open => open.end(id), nothing);
  }

  async close(vmId: VmId, { caller }: CallContext): Promise<void> {
    (await this.#opened(vmId))?.leave(caller.id);
  }

  /** Undefined also for a line that could not be opened. */
  #opened(vmId: VmId): Promise<SerialLine | undefined> | undefined {
    return this.#lines.get(vmId)?.catch(nothing);
  }
}

const nothing = (): undefined => undefined;

const tooMany = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: `${VIEWERS_MAX} windows look at this serial line.`,
    safe: 'They stay open.',
    todo: 'Close one first.',
  });
const notOpen = (): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: 'This serial line is not open.',
    safe: 'Nothing was sent.',
    todo: 'Open the console again.',
  });
const unheard = (): Fault =>
  new Fault({
    code: 'limit.reached',
    what: 'The guest does not read its serial line: what was typed before still waits.',
    safe: 'What was typed before stays; this was not added.',
    todo: 'Wait until the guest reads, or look at its screen.',
  });
