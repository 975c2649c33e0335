// Readers of points, which keep these from being purged: NBD servers, one per reader and each at a socket of
// its own, so that closing one cuts nobody else off; and work of storage itself.
import type { PointId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import type { ExportsOptions } from './exports.ts';
import { type NbdServer, serveNbd } from './nbd/server.ts';
import type { Volume } from './volume.ts';

/** Far above what one VM's exports and clones need at a time. */
const READERS_MAX = 64;

interface Reader {
  readonly pointId: PointId;
  readonly isHeld: boolean;
  readonly server: Promise<NbdServer>;
}

export class PointReaders {
  readonly #options: ExportsOptions;
  readonly #readers = new Map<string, Reader>();
  readonly #inside = new Set<readonly PointId[]>();

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  get openCount(): number {
    return this.#readers.size + this.#inside.size;
  }

  async open(pointId: PointId, volume: Volume, socketPath: string, isHeld = false): Promise<void> {
    if (this.#readers.size >= READERS_MAX || this.#readers.has(socketPath))
      throw new Fault(refused(socketPath));
    const server = serveNbd({ ...this.#options, socketPath, exports: [{ name: pointId, volume }] });
    this.#readers.set(socketPath, { pointId, isHeld, server });
    try {
      await server;
    } catch (error) {
      this.#readers.delete(socketPath);
      throw error;
    }
  }

  async close(socketPath: string): Promise<void> {
    const reader = this.#readers.get(socketPath);
    this.#readers.delete(socketPath);
    await (await reader?.server)?.close();
  }

  /** The points that are held, or read now. A reader that died unclosed keeps nothing from being purged. */
  async read(): Promise<ReadonlySet<PointId>> {
    const found = new Set([...this.#inside].flat());
    for (const { pointId, isHeld, server } of this.#readers.values())
      if (isHeld || (await server).connectionCount() > 0) found.add(pointId);
    return found;
  }

  /** Keeps these points from being purged while storage's own work reads them. */
  async whileRead<T>(points: readonly PointId[], work: () => Promise<T>): Promise<T> {
    const reading = [...points];
    this.#inside.add(reading);
    try {
      return await work();
    } finally {
      this.#inside.delete(reading);
    }
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#readers.keys()].map(socketPath => this.close(socketPath)));
  }
}

const refused = (socketPath: string) => ({
  code: 'disk.in-use' as const,
  what: `${socketPath} serves a point already, or ${READERS_MAX} points of this VM are being read.`,
  safe: 'Those who read are not disturbed.',
  todo: 'Wait until one has ended.',
});
