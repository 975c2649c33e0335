// Work of many seeds over all cores: the same function in as many threads, each a share of the seeds.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface Share {
  readonly seed: number;
  readonly count: number;
}

/** Seeds in shares, so that no core waits long for the last one. */
const SHARE = 50;

/**
 * Calls `work` of module `url` (its own `import.meta.url`, with `serveShares` at its end) for shares of
 * `count` seeds from `seed` on; `each` gets the results as they come.
 */
export async function inParallel<T>(
  url: string,
  { seed, count }: Share,
  each: (result: T) => void,
): Promise<void> {
  const shares: Share[] = [];
  for (let at = 0; at < count; at += SHARE)
    shares.push({ seed: seed + at, count: Math.min(SHARE, count - at) });
  const next = (worker: Worker): void => {
    const share = shares.shift();
    worker.postMessage(share ?? null);
  };
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(url), { workerData: 'serve shares' });
      worker.on('message', (result: T | 'ready') => {
        if (result !== 'ready') each(result as T);
        next(worker);
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), shares.length) }, one));
}

/** In a thread that `inParallel` started: works until there is nothing left. Elsewhere nothing. */
export function serveShares<T>(work: (share: Share) => Promise<T>): void {
  if (isMainThread || workerData !== 'serve shares' || parentPort === null) return;
  const port = parentPort;
  port.on('message', (share: Share | null) => {
    if (share === null) port.close();
    else
      work(share).then(
        result => port.postMessage(result),
        (cause: unknown) => {
          throw cause;
        },
      );
  });
  port.postMessage('ready');
}
