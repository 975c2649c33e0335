// Listens on a unix socket and serves a table of exports, one Connection per client. Owns no volume: closing
// the server leaves volumes open, for their owner to flush and close.

import { invariant } from '../../../shared/result.ts';
import type { ListenUnix, NextTurn, OpenAccepted } from '../../platform/byte-stream.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Volume } from '../volume.ts';
import type { LateReads } from './coldness.ts';
import { Connection, HANDSHAKE_MS_MAX } from './connection.ts';
import type { ExportInfo } from './options.ts';

/** QEMU opens one, nbdcopy four, fio one per job. */
export const CONNECTIONS_MAX = 16;
/** A client that does not take its last replies is cut off after this long. */
const CLOSE_MS_MAX = 2_000;

export interface NbdExport {
  readonly name: string;
  readonly volume: Volume;
}

export interface NbdServerOptions {
  readonly socketPath: string;
  readonly exports: readonly NbdExport[];
  readonly listen: ListenUnix;
  readonly clock: Clock;
  readonly nextTurn: NextTurn;
  readonly log: (line: string) => void;
  readonly onBug: (error: unknown) => void;
  readonly handshakeMsMax?: number;
  readonly lateReads?: LateReads;
}

export interface NbdServer {
  readonly socketPath: string;
  connectionCount(): number;
  /** Makes clients connect again, and so hear the exports' sizes; unanswered requests they send again. */
  hangUp(): void;
  /** Stops listening, answers what is acknowledged or waits for a flush, and removes the socket. */
  close(): Promise<void>;
}

/** Serves at `socketPath`, 0600; a stale socket there is replaced. Throws Fault host.permission. */
export async function serveNbd(options: NbdServerOptions): Promise<NbdServer> {
  const connections = new Set<Connection>();
  const volumes = new Map(options.exports.map(row => [row.name, row.volume]));
  const infos = (): ExportInfo[] =>
    options.exports.map(({ name, volume: { sizeBytes, readOnly } }) => ({ name, sizeBytes, readOnly }));
  let onEmpty: (() => void) | null = null;

  const accept = (open: OpenAccepted): void => {
    if (connections.size >= CONNECTIONS_MAX) {
      options.log(`nbd: more than ${CONNECTIONS_MAX} connections; one turned away`);
      open({ room: () => Buffer.alloc(1), filled: () => undefined }).destroy();
      return;
    }
    const connection = new Connection({
      ...options,
      open,
      handshakeMsMax: options.handshakeMsMax ?? HANDSHAKE_MS_MAX,
      exports: infos,
      volumeOf: name => {
        const volume = volumes.get(name);
        invariant(volume !== undefined, `no volume for export ${name}`);
        return volume;
      },
      onEnd: () => {
        connections.delete(connection);
        if (connections.size === 0) onEmpty?.();
      },
    });
    connections.add(connection);
  };

  const listener = await options.listen(options.socketPath, accept);
  return {
    socketPath: options.socketPath,
    connectionCount: () => connections.size,
    hangUp: () => {
      for (const connection of connections) connection.close();
    },
    close: async () => {
      await listener.close();
      for (const connection of connections) connection.close();
      if (connections.size === 0) return;
      const timer = options.clock.after(CLOSE_MS_MAX, () => {
        for (const connection of connections) connection.destroy();
      });
      await new Promise<void>(resolve => {
        onEmpty = resolve;
      });
      timer.cancel();
    },
  };
}
