// A Channel over a MessagePort: a worker's port, Electron's MessagePortMain, or a page's. One message is one frame.
import type { Channel } from '../../shared/rpc/channel.ts';
import { FRAME_BYTES_MAX } from '../../shared/rpc/frame.ts';

/** What the three kinds of port have in common, in Node's spelling. */
export interface PortLike {
  postMessage(text: string): void;
  on(event: 'message' | 'close', listener: (value: unknown) => void): unknown;
  start?(): void;
  close(): void;
}

export function portChannel(port: PortLike): Channel {
  const messages: ((text: string) => void)[] = [];
  const closes: (() => void)[] = [];
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    for (const run of closes) run();
  };
  port.on('message', value => {
    // Electron wraps what it delivers in an event with `data`; a worker's port does not.
    const text = typeof value === 'string' ? value : (value as { data?: unknown } | null)?.data;
    if (typeof text !== 'string' || text.length > FRAME_BYTES_MAX) {
      port.close();
      end();
    } else if (isOpen) for (const listener of messages) listener(text);
  });
  port.on('close', end);
  port.start?.();
  return {
    send: text => {
      if (isOpen) port.postMessage(text);
    },
    bufferedBytes: () => 0,
    onDrain: run => {
      setImmediate(run);
    },
    onMessage: listener => {
      messages.push(listener);
    },
    onClose: listener => {
      if (isOpen) closes.push(listener);
      else setImmediate(listener);
    },
    close: () => {
      port.close();
      end();
    },
  };
}
