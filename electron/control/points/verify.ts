// Checks the history of a VM, and keeps the newest report of each VM. Storage reads and compares some
// megabytes at a call, and control calls again from there: so a check can be paused and cancelled at any
// time, and lives through a restart of either.
import * as z from 'zod';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import {
  type Verified,
  type VerifyReport,
  verifyCursorSchema,
  verifyReportSchema,
} from '../../../shared/verify.ts';
import type { Clock } from '../../platform/ports.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { TaskRun } from '../tasks/tasks.ts';

/** What one call reads: some tens of milliseconds on a disk that is not slow. */
const BUDGET_BYTES = 32 * 2 ** 20;
const DAMAGES_KEPT = 1000;
/** Calls between two marks: at most so much is read again where control dies. Each mark costs a sync. */
const PIECES_A_MARK = 8;

const stoodSchema = z.object({ ...verifyReportSchema.shape, cursor: verifyCursorSchema.nullable() });
type Stood = z.infer<typeof stoodSchema>;

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

  /** Fault vm.wrong-state: a check is under way, and a VM has one report only. */
  async run(vmId: VmId, run: TaskRun): Promise<void> {
    if (this.report(vmId)?.state === 'running') throw underWay();
    const stood = stoodSchema.safeParse(run.stood).data ?? this.#fresh();
    const put = (state: VerifyReport['state']): void => {
      const { cursor: _, ...report } = stood;
      this.#reports.set(vmId, { ...report, state });
    };
    put('running');
    try {
      await run.gate.pausable(() => this.#pieces(vmId, stood, run, () => put('running')));
      put('done');
    } finally {
      if (this.#reports.get(vmId)?.state === 'running') put('stopped');
    }
  }

  #fresh(): Stood {
    const counts = { checkedBytes: 0, unrecordedBytes: 0, totalBytes: 0 };
    const startedAt = this.#clock.wallMs();
    return { state: 'running', startedAt, ...counts, damages: [], isTruncated: false, cursor: null };
  }

  async #pieces(vmId: VmId, stood: Stood, run: TaskRun, put: () => void): Promise<void> {
    const { gate, step, mark } = run;
    for (let pieces = 1; ; pieces++) {
      await gate.passed();
      const { cursor } = stood;
      const order = { vmId, cursor, budgetBytes: BUDGET_BYTES };
      const found: Verified = await this.#storage.call('verify.some', order);
      stood.cursor = found.cursor;
      stood.checkedBytes += found.checkedBytes;
      stood.unrecordedBytes += found.unrecordedBytes;
      stood.totalBytes = Math.max(found.totalBytes, stood.checkedBytes);
      stood.damages.push(...found.damages.slice(0, DAMAGES_KEPT - stood.damages.length));
      stood.isTruncated ||= stood.damages.length >= DAMAGES_KEPT;
      put();
      step('comparing', { done: stood.checkedBytes, total: stood.totalBytes });
      if (found.cursor === null) return;
      if (gate.isPaused || pieces % PIECES_A_MARK === 0) mark(stood);
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
