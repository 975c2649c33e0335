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
