// Checking a VM's history: storage reads and compares some megabytes at a time, control goes on from where it stopped, so
// that a check can be cancelled at any time and lives through a restart of storage. Keeps the newest report of each VM.
import type { VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { amountText, KIB } from '../../shared/units.ts';
import type { Damage, Verified, VerifyCursor, VerifyReport } from '../../shared/verify.ts';
import type { Clock } from '../platform/ports.ts';
import type { StorageClient } from '../storage/client.ts';
import type { Step } from './tasks.ts';

/** Read by one call: some tens of milliseconds of a disk that is not slow. */
const BUDGET_BYTES = 32 * 2 ** 20;
const DAMAGES_KEPT = 1000;

export class HistoryChecks {
  readonly #storage: StorageClient;
  readonly #clock: Clock;
  readonly #reports = new Map<VmId, VerifyReport>();

  constructor(storage: StorageClient, clock: Clock) {
    this.#storage = storage;
    this.#clock = clock;
  }

  /** Null: not checked since Ebb's service started. */
  report(vmId: VmId): VerifyReport | null {
    return this.#reports.get(vmId) ?? null;
  }

  /** Fault vm.wrong-state: one is under way, and there is one report. */
  async run(vmId: VmId, step: Step, signal: AbortSignal): Promise<void> {
    if (this.report(vmId)?.state === 'running') throw underWay();
    const damages: Damage[] = [];
    const counts = { checkedBytes: 0, unrecordedBytes: 0, totalBytes: 0 };
    let isTruncated = false;
    const startedAt = this.#clock.wallMs();
    const put = (state: VerifyReport['state']): void =>
      void this.#reports.set(vmId, { state, startedAt, ...counts, damages, isTruncated });
    put('running');
    try {
      for (
        let cursor: VerifyCursor | null = null, isFirst = true;
        isFirst || cursor !== null;
        isFirst = false
      ) {
        signal.throwIfAborted();
        const found: Verified = await this.#storage.call('verify.some', {
          vmId,
          cursor,
          budgetBytes: BUDGET_BYTES,
        });
        cursor = found.cursor;
        counts.checkedBytes += found.checkedBytes;
        counts.unrecordedBytes += found.unrecordedBytes;
        counts.totalBytes = Math.max(found.totalBytes, counts.checkedBytes);
        damages.push(...found.damages.slice(0, DAMAGES_KEPT - damages.length));
        isTruncated ||= damages.length >= DAMAGES_KEPT;
        put('running');
        const share = counts.totalBytes === 0 ? 1 : counts.checkedBytes / counts.totalBytes;
        step(
          `${amountText(counts.checkedBytes / KIB)} of ${amountText(counts.totalBytes / KIB)} compared`,
          share,
        );
      }
      put('done');
    } finally {
      if (this.#reports.get(vmId)?.state === 'running') put('stopped');
    }
  }

  forget(vmId: VmId): void {
    this.#reports.delete(vmId);
  }
}

const underWay = (): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: 'The history of this VM is being checked already.',
    safe: 'That check goes on.',
    todo: 'Wait for it to end, or cancel it.',
  });
