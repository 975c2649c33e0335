// Mirrors of what the service publishes. Mirrored, not owned: only api/connection.ts writes here.
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
/** Ten minutes at one sample a second, and room. */
const SAMPLES_MAX = 1200;

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'incompatible' | 'signed-out';

/** `ended`: it was signed in once. Or what the service says; null: nobody was signed in here. */
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
  /** By VM, where its range was changed: what undoing brings back, and when a trial ends. */
  readonly ranges: Readonly<Record<string, RangeUndo>>;
  /** By VM, where automatic history was ever set. */
  readonly histories: Readonly<Record<string, HistoryState>>;
  readonly tasks: readonly Task[];
  /** Newest first. */
  readonly ledger: readonly LedgerEntry[];
  /** Of the newest record of the audit this page has heard of; 0: none since it was opened. */
  readonly auditSeq: number;
  readonly timelines: Readonly<Record<string, Timeline>>;
  readonly timelineErrors: Readonly<Record<string, ErrorBody>>;
  /** Live samples per VM since this page opened; older ones are asked for. */
  readonly samples: Readonly<Record<string, readonly MemorySample[]>>;
  /** How often the page began to look: what it did not see meanwhile is asked for. */
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
      // Off: the chart keeps its past and shows a gap.
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
