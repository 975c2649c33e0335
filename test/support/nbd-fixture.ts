// An NBD server over a volume on a socket in a private folder, for tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listenUnix, nextTurn } from '../../electron/platform/byte-stream.ts';
import type { Clock } from '../../electron/platform/ports.ts';
import type { LateReads } from '../../electron/storage/nbd/coldness.ts';
import { type NbdServer, type NbdServerOptions, serveNbd } from '../../electron/storage/nbd/server.ts';
import type { Volume } from '../../electron/storage/volume.ts';

export interface NbdFixture extends AsyncDisposable {
  readonly folder: string;
  readonly socketPath: string;
  readonly server: NbdServer;
  readonly logged: string[];
  readonly bugs: unknown[];
  readonly uri: string;
}

/** Read at once, and read later: a client must see no difference. */
export const EITHER_WAY: readonly LateReads[] = ['never', 'always'];

export const testClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every: (periodMs, run) => {
    const timer = setInterval(run, periodMs);
    return { cancel: () => clearInterval(timer) };
  },
};

export async function nbdFixture(
  volumes: Readonly<Record<string, Volume>>,
  options: Pick<NbdServerOptions, 'handshakeMsMax' | 'lateReads'> = {},
): Promise<NbdFixture> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-nbd-'));
  const socketPath = join(folder, 's');
  const logged: string[] = [];
  const bugs: unknown[] = [];
  const server = await serveNbd({
    socketPath,
    exports: Object.entries(volumes).map(([name, volume]) => ({ name, volume })),
    listen: listenUnix,
    clock: testClock,
    nextTurn,
    log: line => logged.push(line),
    onBug: error => bugs.push(error),
    ...options,
  });
  return {
    folder,
    socketPath,
    server,
    logged,
    bugs,
    uri: `nbd+unix:///?socket=${socketPath}`,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
