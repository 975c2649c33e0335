// A Channel over a worker's MessagePort or Electron's MessagePortMain. shared/rpc/port-channel.ts, which the
// page uses too, does the frames and their acknowledgement.
import type { Channel } from '../../shared/rpc/channel.ts';
import { portChannel as anyPortChannel } from '../../shared/rpc/port-channel.ts';

/** A worker's port delivers the value itself, Electron's an event that holds it in `data`. */
export interface PortLike {
  postMessage(message: unknown): void;
  on(event: 'message' | 'close', listener: (value: unknown) => void): unknown;
  start?(): void;
  close(): void;
}

const deliveredValue = (delivered: unknown): unknown =>
  typeof delivered === 'object' && delivered !== null && 'data' in delivered ? delivered.data : delivered;

export function portChannel(port: PortLike): Channel {
  const channel = anyPortChannel({
    post: message => port.postMessage(message),
    onMessage: listener => void port.on('message', value => listener(deliveredValue(value))),
    onClose: listener => void port.on('close', () => listener()),
    close: () => port.close(),
  });
  // Loses nothing: a port delivers from the next turn on, when the caller has set its listeners.
  port.start?.();
  return channel;
}
