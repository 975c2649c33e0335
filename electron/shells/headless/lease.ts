// Ends an upload or a download when its session ends. Neither is a channel, so each holds an idle channel of
// the session, which control closes when the session ends. One that closed as control died is reopened.
import type { SocketChannel } from '../../transport/unix-socket.ts';

const TRIES = 3;

export interface Lease {
  /** Aborted when the session ends. */
  readonly signal: AbortSignal;
  end(): void;
}

/** `join` opens a channel of the session; null: the session has ended. */
export async function leaseOf(join: () => Promise<SocketChannel | null>): Promise<Lease | null> {
  const over = new AbortController();
  let held: SocketChannel | null = null;
  let isDone = false;
  const hold = async (triesLeft: number): Promise<boolean> => {
    const channel = await join().catch(() => null);
    if (channel === null || isDone) {
      channel?.close();
      return false;
    }
    held = channel;
    // The channel is idle; it is read all the same, since an unread one would not tell that it ended.
    channel.onMessage(() => undefined);
    channel.onClose(() => void lost(triesLeft));
    return true;
  };
  const lost = async (triesLeft: number): Promise<void> => {
    if (!isDone && (triesLeft === 0 || !(await hold(triesLeft - 1)))) over.abort();
  };
  if (!(await hold(TRIES))) return null;
  return {
    signal: over.signal,
    end: () => {
      isDone = true;
      held?.close();
    },
  };
}

/** Passes items on until the signal, then throws. However it ends, the source is told to end. */
export async function* until<T>(signal: AbortSignal, items: AsyncIterable<T>): AsyncGenerator<T> {
  let stop: (cause: Error) => void = () => undefined;
  const ended = (): void => stop(new Error('the session has ended'));
  signal.addEventListener('abort', ended, { once: true });
  const source = items[Symbol.asyncIterator]();
  // A new promise for each item: one as long-lived as the signal would keep all that raced against it.
  const next = (): Promise<IteratorResult<T>> =>
    new Promise((resolve, reject) => {
      stop = reject;
      if (signal.aborted) ended();
      else source.next().then(resolve, reject);
    });
  try {
    for (let step = await next(); step.done !== true; step = await next()) yield step.value;
  } finally {
    signal.removeEventListener('abort', ended);
    // Not awaited: the source answers only after a `next` that may still be pending.
    source.return?.().catch(() => undefined);
  }
}
