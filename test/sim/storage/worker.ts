// A thread of the crash simulation: universes by number, as run.ts asks for them.
import { parentPort, workerData } from 'node:worker_threads';
import { runUniverses, type UniversesOptions } from './run.ts';

const options = workerData as UniversesOptions;
parentPort?.on('message', ({ first, count }: { first: number; count: number }) => {
  void runUniverses(options, first, count).then(result => parentPort?.postMessage(result));
});
