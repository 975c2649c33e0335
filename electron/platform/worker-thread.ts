// Starts a module of ours in a thread, and tells a thread about itself. Each side gets one MessagePort.
import { MessageChannel, type MessagePort, Worker, workerData } from 'node:worker_threads';
import { stackOf } from '../../shared/result.ts';

export interface WorkerThread {
  readonly port: MessagePort;
  /** Runs once, however the thread ended; `why` is null after a wanted end. */
  onExit(listener: (why: string | null) => void): void;
  terminate(): Promise<void>;
}

export interface ThreadSelf {
  readonly port: MessagePort;
  readonly data: unknown;
  /** Ends this thread, not the process. */
  exit(code: number): never;
}

/** A sibling module with the extension of the caller's: `.ts` from source, `.js` from a bundle. */
export function siblingModule(callerUrl: string, name: string): URL {
  const extension = callerUrl.slice(callerUrl.lastIndexOf('.'));
  return new URL(`./${name}${extension}`, callerUrl);
}

/** A thread has few short-lived objects; V8 would let them grow to 48 MiB before it collects them. */
const YOUNG_MIB = 4;

/** `data` must survive structured cloning. */
export function startThread(module: URL, data: unknown): WorkerThread {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(module, {
    workerData: { port: port2, data },
    transferList: [port2],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
  });
  let why: string | null = null;
  let isWanted = false;
  worker.on('error', error => {
    why = stackOf(error);
  });
  return {
    port: port1,
    onExit: listener => {
      worker.once('exit', code => listener(isWanted ? null : (why ?? `exit code ${code}`)));
    },
    terminate: async () => {
      isWanted = true;
      await worker.terminate();
    },
  };
}

/** What `startThread` gave the thread this runs in. */
export function threadSelf(): ThreadSelf {
  const { port, data } = workerData as { port: MessagePort; data: unknown };
  return { port, data, exit: code => process.exit(code) };
}
