// Two joined channels without a transport: delivered in microtasks, held until somebody listens, as real ones do.
import type { Channel } from '../../shared/rpc/channel.ts';

export interface Pair {
  readonly near: Channel;
  readonly far: Channel;
}

export function memoryPair(): Pair {
  const closes: (() => void)[] = [];
  let isOpen = true;
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    for (const run of closes) run();
  };
  const inbox = () => ({ listeners: [] as ((text: string) => void)[], held: [] as string[] });
  const [nearInbox, farInbox] = [inbox(), inbox()];
  const deliver = (to: ReturnType<typeof inbox>, text: string): void => {
    if (!isOpen) return;
    if (to.listeners.length === 0) to.held.push(text);
    for (const listener of to.listeners) listener(text);
  };
  const one = (own: ReturnType<typeof inbox>, other: ReturnType<typeof inbox>): Channel => ({
    send: text => queueMicrotask(() => deliver(other, text)),
    bufferedBytes: () => 0,
    onDrain: queueMicrotask,
    onMessage: listener => {
      own.listeners.push(listener);
      for (const text of own.held.splice(0)) queueMicrotask(() => deliver(own, text));
    },
    onClose: listener => {
      if (isOpen) closes.push(listener);
      else queueMicrotask(listener);
    },
    close: end,
  });
  return { near: one(nearInbox, farInbox), far: one(farInbox, nearInbox) };
}
