// Standard output as a place for bytes, and the person's wish to end.

/** Resolves when it has been taken; rejects when nobody reads any more. */
export const writeOut = (data: string | Uint8Array): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(data, cause => (cause === null || cause === undefined ? resolve() : reject(cause)));
  });

/** Resolves at the first interrupt or termination. */
export const interrupted = (): Promise<void> =>
  new Promise(resolve => {
    // A signal listener keeps no process alive by itself; the connection does.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
  });

/** Calls `heard` at every interrupt, which then no longer ends the process. Returns how to leave off. */
export function onInterrupt(heard: () => void): () => void {
  process.on('SIGINT', heard);
  return () => {
    process.off('SIGINT', heard);
  };
}

export const isUnread = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && cause.code === 'EPIPE';

/** Nobody reads standard output any more: `ebb vm list | head -1`. */
export function onUnread(end: () => void): void {
  process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
    if (isUnread(cause)) return end();
    throw cause;
  });
}
