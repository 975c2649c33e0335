// Work of many seeds over all cores: the same function in as many threads, each a share of the seeds at a time. Results
// come in the order of the seeds, so that what is made of them depends on the first seed alone.
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface Share {
  readonly seed: number;
  readonly count: number;
}

export interface ParallelWork extends Share {
  /** Seeds at a time: few, so that no core waits long for the last one. */
  readonly share?: number;
  /** For the work beside its share; must survive structured cloning. */
  readonly data?: unknown;
}

const SHARE = 50;
const SERVING = 'serve shares';

/**
 * Calls `work` of module `url` (which has `serveShares` at its end) for shares of `count` seeds from `seed` on; `each` gets
 * the results in their order, and ends it all with `true`. `count` may be infinite.
 */
export async function inParallel<T>(
  url: string,
  { seed, count, share = SHARE, data }: ParallelWork,
  each: (result: T) => boolean | undefined,
): Promise<void> {
  const done = new Map<number, T>();
  let [begun, told, isOver] = [0, 0, false];
  const give = (worker: Worker): number => {
    const left = count - begun * share;
    if (left <= 0 || isOver) {
      worker.postMessage(null);
      return begun;
    }
    worker.postMessage({ seed: seed + begun * share, count: Math.min(share, left) } satisfies Share);
    return begun++;
  };
  const tell = (): void => {
    for (let next = done.get(told); next !== undefined && !isOver; next = done.get(told)) {
      done.delete(told++);
      isOver = each(next) === true;
    }
  };
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(url), { workerData: { serving: SERVING, data } });
      let own = give(worker);
      worker.on('message', (result: T) => {
        done.set(own, result);
        tell();
        own = give(worker);
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  const shares = Math.ceil(count / share);
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), shares) }, one));
}

/** In a thread that `inParallel` started: works until there is nothing left. Elsewhere nothing. */
export function serveShares<T, D = unknown>(work: (share: Share, data: D) => Promise<T>): void {
  const given = workerData as { readonly serving?: string; readonly data: D } | null;
  if (isMainThread || given?.serving !== SERVING || parentPort === null) return;
  const port = parentPort;
  port.on('message', (share: Share | null) => {
    if (share === null) port.close();
    else
      work(share, given.data).then(
        result => port.postMessage(result),
        (cause: unknown) => {
          throw cause;
        },
      );
  });
}
