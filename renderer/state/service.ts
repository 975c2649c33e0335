// Mirrors of the service's topics. The service owns this state: only api/connection.ts writes here.
import { createStore } from 'zustand/vanilla';
import type { ErrorBody } from '../../shared/errors.ts';
import type { HistoryState } from '../../shared/history.ts';
import type { AppInfo } from '../../shared/host.ts';
import type { HostMemory, LedgerEntry, MemorySample, RangeUndo } from '../../shared/memory.ts';
import type { PolicyReport } from '../../shared/policy/report.ts';
import type { Task } from '../../shared/task.ts';
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';

export const LEDGER_MAX = 200;
/** Ten minutes at one sample a second, and as many again to spare. */
const SAMPLES_MAX = 1200;

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'incompatible' | 'signed-out';

/** `ended`: this browser's session ended. Null: it never had one. Else the service's own error. */
export type SignedOut = 'ended' | ErrorBody | null;

export interface ServiceState {
  readonly connection: ConnectionState;
  readonly problem: SignedOut;
  readonly info: AppInfo | null;
  /** Null until the first list has come. */
  readonly vms: readonly VmSummary[] | null;
  readonly host: HostMemory | null;
  /** What IT set; null until the service has told. */
  readonly policy: PolicyReport | null;
  /** For each VM whose range was changed: what undoing brings back, and when a trial ends. */
  readonly ranges: Readonly<Record<string, RangeUndo>>;
  /** For each VM whose automatic history was ever set. */
  readonly histories: Readonly<Record<string, HistoryState>>;
  readonly tasks: readonly Task[];
  /** Newest first. */
  readonly ledger: readonly LedgerEntry[];
  /** Number of the newest audit record this page has heard of; 0: none since it was opened. */
  readonly auditSeq: number;
  readonly timelines: Readonly<Record<string, Timeline>>;
  readonly timelineErrors: Readonly<Record<string, ErrorBody>>;
  /** Live samples of each VM since the page was last shown; older ones are asked for. */
  readonly samples: Readonly<Record<string, readonly MemorySample[]>>;
  /** How often the page was shown: each time, what it missed while hidden is asked for. */
  readonly looks: number;
}

export const serviceStore = createStore<ServiceState>()(() => ({
  connection: 'connecting',
  problem: null,
  info: null,
  vms: null,
  host: null,
  policy: null,
  ranges: {},
  histories: {},
  tasks: [],
  ledger: [],
  auditSeq: 0,
  timelines: {},
  timelineErrors: {},
  samples: {},
  looks: 0,
}));

/** Every host update is also one sample per VM. */
export function mirrorHost(host: HostMemory, at: number): void {
  serviceStore.setState(state => {
    const samples: Record<string, readonly MemorySample[]> = {};
    for (const { spec } of state.vms ?? []) {
      const known = state.samples[spec.id];
      if (known === undefined) continue;
      // A VM that is off gets one empty sample: the chart keeps its past and shows a gap.
      const gap = { at, targetKib: null, actualKib: null, usedKib: null };
      samples[spec.id] = known.at(-1)?.actualKib === null ? known : [...known, gap].slice(-SAMPLES_MAX);
    }
    for (const vm of host.vms) {
      const { targetKib, actualKib, usedKib } = vm;
      const known = state.samples[vm.vmId] ?? [];
      samples[vm.vmId] =
        actualKib === null ? known : [...known, { at, targetKib, actualKib, usedKib }].slice(-SAMPLES_MAX);
    }
    return { host, samples };
  });
}
