// Many seeded cases on all cores, with an answer that depends on the seed alone: numbered chunks go to whichever thread is
// free, and what they found is put together in the order of their numbers, up to the chunk with which there is enough.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

export interface Chunked<R> {
  /** Of a module that answers each `{first, count}` posted to it with a result. */
  readonly module: URL;
  readonly data: unknown;
  /** Cases in a chunk. */
  readonly chunk: number;
  readonly isEnough: (results: readonly R[]) => boolean;
}

interface Thread {
  readonly worker: Worker;
  chunk: number | null;
}

export async function inChunks<R>({ module, data, chunk, isEnough }: Chunked<R>): Promise<R[]> {
  const done = new Map<number, R>();
  const results: R[] = [];
  let next = 0;
  const threads: Thread[] = Array.from({ length: availableParallelism() }, () => ({
    worker: new Worker(module, { workerData: data, execArgv: ['--disable-warning=ExperimentalWarning'] }),
    chunk: null,
  }));
  const give = (thread: Thread): void => {
    thread.chunk = next++;
    thread.worker.postMessage({ first: thread.chunk * chunk, count: chunk });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      for (const thread of threads) {
        thread.worker.on('error', reject);
        thread.worker.on('message', (result: R) => {
          done.set(thread.chunk ?? -1, result);
          for (let got = done.get(results.length); got !== undefined; got = done.get(results.length)) {
            if (isEnough(results)) break;
            results.push(got);
          }
          if (isEnough(results)) resolve();
          else give(thread);
        });
        give(thread);
      }
    });
    return results;
  } finally {
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }
}
