// What control asks of a running QEMU, in our words and units: balloon, statistics, run state. Thin over QMP; every
// answer is parsed, because guests and versions differ.
import * as z from 'zod';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import { bytesToKib, kibToBytes } from '../../../shared/units.ts';
import type { AgentFigures, GuestPort, GuestSample, GuestStats } from '../ports.ts';
import type { QmpSession } from '../qmp/session.ts';

const BALLOON = '/machine/peripheral/balloon0';
const STATS_PERIOD_SECONDS = 1;
/** What the driver sends for "I do not know": −1 as u64, which JSON numbers round. */
const UNKNOWN_FROM = 2 ** 63;

const statsSchema = z.object({ stats: z.record(z.string(), z.number()), 'last-update': z.number() });
const balloonSchema = z.object({ actual: z.number() });
const statusSchema = z.object({ status: z.string(), running: z.boolean() });
const blocksSchema = z.array(z.object({ 'io-status': z.string().optional() }));
const virtioSchema = z.object({ status: z.object({ statuses: z.array(z.string()) }) });

const known = (value: number | undefined): number | null =>
  value === undefined || value < 0 || value >= UNKNOWN_FROM ? null : value;
const knownKib = (value: number | undefined): number | null => {
  const bytes = known(value);
  return bytes === null ? null : bytesToKib(bytes);
};

function parseStats(answer: unknown): GuestStats | null {
  const parsed = statsSchema.safeParse(answer);
  if (!parsed.success) return null;
  const { stats } = parsed.data;
  return {
    totalKib: knownKib(stats['stat-total-memory']),
    freeKib: knownKib(stats['stat-free-memory']),
    availableKib: knownKib(stats['stat-available-memory']),
    cachesKib: knownKib(stats['stat-disk-caches']),
    swapInKib: knownKib(stats['stat-swap-in']),
    swapOutKib: knownKib(stats['stat-swap-out']),
    majorFaults: known(stats['stat-major-faults']),
    updatedAtMs: parsed.data['last-update'] * 1000,
  };
}

export interface GuestOptions {
  readonly vmId: VmId;
  readonly pid: number;
  readonly qmp: QmpSession;
  readonly hasBalloon: boolean;
  readonly residentKib: () => number | null;
  /** Read after the call; `residentKib` is a moment old where the host asks a tool. */
  readonly freshResidentKib: () => Promise<number | null>;
  /** What the agent inside last said, without asking it. */
  readonly agent: () => AgentFigures | null;
}

export class Guest implements GuestPort {
  readonly vmId: VmId;
  readonly pid: number;
  readonly #options: GuestOptions;

  constructor(options: GuestOptions) {
    this.vmId = options.vmId;
    this.pid = options.pid;
    this.#options = options;
  }

  /** QEMU's default period, zero, means never. */
  async startStatistics(): Promise<void> {
    if (!this.#options.hasBalloon) return;
    const property = { path: BALLOON, property: 'guest-stats-polling-interval', value: STATS_PERIOD_SECONDS };
    await this.#options.qmp.execute('qom-set', property);
  }

  async setTarget(targetKib: number): Promise<void> {
    await this.#options.qmp.execute('balloon', { value: kibToBytes(targetKib) });
  }

  async status(): Promise<{ readonly status: string; readonly running: boolean }> {
    return statusSchema.parse(await this.#options.qmp.execute('query-status'));
  }

  /** Whether a guest that a disk error stopped lacks room on the disk. */
  async isDiskFull(): Promise<boolean> {
    const answer = await this.#options.qmp.execute('query-block').catch(() => null);
    const blocks = blocksSchema.safeParse(answer);
    return blocks.data?.some(block => block['io-status'] === 'nospace') ?? false;
  }

  async sample(): Promise<GuestSample> {
    const { status, running } = await this.status();
    if (!this.#options.hasBalloon) {
      const residentKib = await this.#options.freshResidentKib();
      return { actualKib: null, stats: null, driverReady: false, residentKib, paused: !running };
    }
    // Asked before `query-balloon`: a driver that loads in between has not written its figure yet (M9).
    const virtio = await this.#virtioStatus();
    const [balloon, stats] = await Promise.all([
      this.#options.qmp.execute('query-balloon'),
      this.#options.qmp.execute('qom-get', { path: BALLOON, property: 'guest-stats' }),
    ]);
    const actual = balloonSchema.safeParse(balloon);
    const parsed = parseStats(stats);
    // A target sent while saved memory is being read is overwritten by the one it was saved with.
    const driverReady = status !== 'inmigrate' && (virtio ?? (parsed?.updatedAtMs ?? 0) > 0);
    return {
      actualKib: actual.success ? bytesToKib(actual.data.actual) : null,
      stats: parsed,
      // A paused guest's agent answers nobody.
      agent: running ? this.#options.agent() : null,
      driverReady,
      // Read after the balloon's figure: what an inflating balloon lets go of in between would otherwise look
      // like QEMU's own need (M2).
      residentKib: await this.#options.freshResidentKib(),
      paused: !running,
    };
  }

  residentKib(): number | null {
    return this.#options.residentKib();
  }

  /** Whether the device says its driver is ready; null: QEMU lacks the command, then statistics must tell. */
  async #virtioStatus(): Promise<boolean | null> {
    try {
      const path = `${BALLOON}/virtio-backend`;
      const parsed = virtioSchema.safeParse(
        await this.#options.qmp.execute('x-query-virtio-status', { path }),
      );
      if (parsed.success)
        return parsed.data.status.statuses.some(word => word.startsWith('VIRTIO_CONFIG_S_DRIVER_OK'));
    } catch (cause) {
      if (!(cause instanceof Fault) || cause.body.code !== 'qemu.refused') throw cause;
    }
    return null;
  }
}
