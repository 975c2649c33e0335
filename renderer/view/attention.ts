// Finds what needs a person's attention in the mirrored state. Pure; the words are in the dictionary.
import type { ErrorBody } from '../../shared/errors.ts';
import type { HostMemory, VmMemory } from '../../shared/memory.ts';
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { lossOf } from './faults.ts';
import { healthOf } from './settle.ts';

export type Attention =
  | { readonly kind: 'failed' | 'paused' | 'lost'; readonly vm: VmSummary }
  | { readonly kind: 'balloon'; readonly vm: VmSummary; readonly memory: VmMemory }
  | { readonly kind: 'history'; readonly vm: VmSummary; readonly timeline: Timeline }
  | { readonly kind: 'host'; readonly state: 'critical' | 'emergency'; readonly availableKib: number }
  | { readonly kind: 'stale-plan'; readonly ageMs: number };

/** M5's watchdog: beyond this age the last good plan is stale. */
const PLAN_AGE_MAX_MS = 30_000;

const CALM: readonly VmMemory['balloon'][] = ['obeying', 'booting', 'fixed', 'off'];

export const isRunning = (vm: VmSummary): boolean =>
  vm.state.phase === 'running' || vm.state.phase === 'paused';

export function findAttention(state: {
  readonly vms: readonly VmSummary[];
  readonly host: HostMemory | null;
  readonly timelines: Readonly<Record<string, Timeline>>;
  readonly timelineErrors: Readonly<Record<string, ErrorBody>>;
}): Attention[] {
  const found: Attention[] = [];
  const { host } = state;
  if (host !== null && (host.state === 'critical' || host.state === 'emergency'))
    found.push({ kind: 'host', state: host.state, availableKib: host.availableKib });
  for (const vm of state.vms) {
    if (vm.state.phase === 'failed' || (vm.state.phase === 'off' && vm.state.error !== null)) {
      found.push({ kind: 'failed', vm });
    } else if (vm.state.phase === 'paused' && vm.state.detail !== '') found.push({ kind: 'paused', vm });
    const memory = host?.vms.find(other => other.vmId === vm.spec.id);
    if (memory !== undefined && isRunning(vm) && !CALM.includes(memory.balloon)) {
      found.push({ kind: 'balloon', vm, memory });
    }
    const timeline = state.timelines[vm.spec.id];
    const error = state.timelineErrors[vm.spec.id];
    if (error !== undefined && lossOf(error) !== null) found.push({ kind: 'lost', vm });
    else if (timeline !== undefined) {
      const health = healthOf(timeline);
      if (health === 'blocked' || health === 'poisoned') found.push({ kind: 'history', vm, timeline });
    }
  }
  if (host !== null && host.planAgeMs > PLAN_AGE_MAX_MS && state.vms.some(isRunning)) {
    found.push({ kind: 'stale-plan', ageMs: host.planAgeMs });
  }
  return found;
}

const huesOf = new WeakMap<readonly VmSummary[], Readonly<Record<string, number>>>();

/** Each VM's hue wherever it appears: by its age rank, so that it stays. Memoized, since every row asks. */
export function vmHues(vms: readonly VmSummary[]): Readonly<Record<string, number>> {
  const known = huesOf.get(vms);
  if (known !== undefined) return known;
  const ordered = [...vms].sort(
    (a, b) => a.spec.createdAt - b.spec.createdAt || (a.spec.id < b.spec.id ? -1 : 1),
  );
  const hues = Object.fromEntries(ordered.map((vm, index) => [vm.spec.id, (index % 8) + 1]));
  huesOf.set(vms, hues);
  return hues;
}
