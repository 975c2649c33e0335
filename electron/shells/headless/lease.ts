// Whether a session still may, as long as something of it goes on that is no channel by itself: an upload. Control closes a channel
// when its session ends; one that closed with control's own death is opened again.
import type { SocketChannel } from '../../transport/unix-socket.ts';

const TRIES = 3;

export interface Lease {
  /** Aborted when the session ended. */
  readonly signal: AbortSignal;
  end(): void;
}

/** `join`: a channel of the session; null where it is none any more. */
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
    // Nothing is said to it; what it says is read, so that its end is heard.
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

/** What comes until then; then it breaks off. However it ends, the source is told. */
export async function* until<T>(signal: AbortSignal, items: AsyncIterable<T>): AsyncGenerator<T> {
  let stop: (cause: Error) => void = () => undefined;
  const ended = (): void => stop(new Error('the session has ended'));
  signal.addEventListener('abort', ended, { once: true });
  const source = items[Symbol.asyncIterator]();
  // A promise for each: one that lived as long as the signal would keep all that it was ever raced against.
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
    // Not waited for: it comes after what is still being waited for.
    source.return?.().catch(() => undefined);
  }
}
