// MessagePortMain and MessageChannelMain over worker ports, with Electron's manners: an event with `data`, and
// nothing delivered before `start`.
import { EventEmitter } from 'node:events';
import { MessageChannel, type MessagePort } from 'node:worker_threads';

export class FakePort extends EventEmitter {
  readonly #port: MessagePort;
  #isTransferred = false;
  constructor(port: MessagePort) {
    super();
    this.#port = port;
    port.on('close', () => this.emit('close'));
  }
  postMessage(message: unknown): void {
    if (this.#isTransferred) throw new Error('this port was given away');
    this.#port.postMessage(message);
  }
  start(): void {
    this.#port.on('message', data => this.emit('message', { data, ports: [] }));
  }
  close(): void {
    this.#port.close();
  }
  /** What the other process receives: a page's port. */
  transfer(): MessagePort {
    this.#isTransferred = true;
    this.#port.removeAllListeners();
    return this.#port;
  }
}

export class MessageChannelMain {
  readonly port1: FakePort;
  readonly port2: FakePort;
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new FakePort(port1);
    this.port2 = new FakePort(port2);
  }
}
