// Leases (M6): memory promised to a VM not yet running. A lease counts as soon as it is asked for, so that
// the planner squeezes the others; it is granted when what they gave back was observed, stored before QEMU is
// spawned, and ended by transfer or release. A start fails for want of progress, not by the clock.
import { leaseIdSchema, type VmId } from '../../../shared/ids.ts';
import { BugError, Fault } from '../../../shared/result.ts';
import { amountText, floorMib, MIB_KIB } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { Clock, Random } from '../../platform/ports.ts';
import type { Lease } from '../ports.ts';
import { TOLERANCE_KIB } from './actuate.ts';
import { overheadKibOf, UNMEASURED_KIB } from './budget.ts';
import type { MemoryJournal } from './journal.ts';
import { committedKib, type HostModel, onceUp, poolKib, promisedKib, type VmModel } from './model.ts';
import { slowlyKib } from './pace.ts';
import { capped } from './range.ts';
import type { MemorySwitchOffs } from './switch-offs.ts';

/** When nothing came back for so long, a start takes what there is, or fails and names who did not give. */
const NO_PROGRESS_MS = 10_000;
const PROGRESS_KIB = MIB_KIB;
/** M4: with its minimum met, a start waits only for steps this large, so that no slow balloon delays it. */
const QUICK_KIB = 256 * MIB_KIB;
/** By then a stuck balloon is found out, and the others are asked for more. */
const NO_QUICK_MS = 6_000;
/** By then every guest has heard its target. */
const HEARD_MS = 1_500;
/** A booting VM is not squeezed (M6): a start waits so long for what it will give when it is up. */
const BOOTS_MS = 90_000;

interface OpenLease {
  readonly lease: { id: Lease['id']; vmId: VmId; bootKib: number };
  readonly spec: VmSpec;
  readonly leastKib: number;
  /** Saved memory is resumed, and can only go on as large as it was. */
  readonly isExact: boolean;
  /** QEMU's overhead as measured in an earlier run; null: never. */
  readonly overheadKib: number | null;
  readonly wait: { readonly resolve: (lease: Lease) => void; readonly reject: (fault: Fault) => void } | null;
  bestPoolKib: number;
  /** When memory last came back; and when there last was a reason to wait without that. */
  movedAtMs: number;
  patientUntilMs: number;
  /** Since when the host's emergency stops all grants; null: it does not. */
  frozenAtMs: number | null;
}

export interface LeaseDeskPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: MemoryJournal;
  readonly model: () => HostModel;
  /** True once the overhead of the VM's QEMU was measured, or when the VM is gone. */
  readonly isMeasured: (vmId: VmId) => boolean;
  /** From tests alone. */
  readonly switchOff?: MemorySwitchOffs;
  /** What VMs leave free because somebody asked them to (free.ts); 0: nothing. */
  readonly keptFreeKib: () => number;
  /** M10: the cap per VM now; null: none. */
  readonly capKib: () => number | null;
  readonly wake: (cause: string | null) => void;
  /** Runs `write`; a failure is only logged. */
  readonly tried: (write: () => void) => void;
}

/**
 * The largest `-m` for a new VM if every movable guest went to its minimum. Pure. `overheadKib`: of its QEMU,
 * as measured in an earlier run; null: never.
 */
export function mostLeasableKib(host: HostModel, overheadKib: number | null): number {
  const least = (vm: VmModel): number => (vm.held === null ? vm.minKib + vm.overheadKib : committedKib(vm));
  const left = host.budgetKib - host.leasedKib - host.vms.reduce((sum, vm) => sum + least(vm), 0);
  // Solves b + overhead(b) = left, where overhead(b) = 150 MiB + b/100 (budget.ts).
  const usualKib = ((left - 150 * MIB_KIB) * 100) / 101;
  return Math.max(0, floorMib(Math.min(usualKib, left - (overheadKib ?? 0))));
}

const neededKib = ({ lease, overheadKib }: OpenLease): number =>
  lease.bootKib + overheadKibOf(lease.bootKib, overheadKib);
/** The `-m` it could start with now. `pool`: what its whole lease would leave; negative: what is missing. */
const reachableKib = ({ lease }: OpenLease, pool: number): number => floorMib(lease.bootKib + pool);
export class LeaseDesk {
  readonly #ports: LeaseDeskPorts;
  readonly #open = new Map<string, OpenLease>();
  /** VMs that run and whose QEMU's overhead was not known when they came. */
  readonly #unmeasured = new Set<VmId>();

  constructor(ports: LeaseDeskPorts) {
    this.#ports = ports;
  }

  /** What the planner sets aside: leases granted and leases asked for. */
  leasedKib(): number {
    return this.#sum(() => true);
  }

  /** Granted leases only: a lease that still waits holds no memory. */
  grantedKib(): number {
    return this.#sum(open => open.wait === null);
  }

  /** What waiting leases ask for. */
  waitingKib(): number {
    return [...this.#open.values()].reduce((sum, open) => sum + this.#waitingKib(open), 0);
  }

  /** The margins of running VMs not measured yet, but for one, which the host's margin covers (budget.ts). */
  #besideKib(counts: (vmId: VmId) => boolean = () => true): number {
    const unknown = [...this.#unmeasured].filter(vmId => this.isUnmeasured(vmId) && counts(vmId));
    return Math.max(0, unknown.length - 1) * UNMEASURED_KIB;
  }

  #sum(counts: (open: OpenLease) => boolean): number {
    let sum = this.#besideKib();
    for (const open of this.#open.values()) {
      if (counts(open)) sum += neededKib(open) + this.marginKib(open.overheadKib, open.lease.id);
    }
    return sum;
  }

  #waitingKib(open: OpenLease): number {
    return open.wait === null ? 0 : neededKib(open) + this.marginKib(open.overheadKib, open.lease.id);
  }

  /** M2: kept beside a QEMU's usual need where one that came before it is not measured either. */
  marginKib(overheadKib: number | null, id: Lease['id'] | null): number {
    if (overheadKib !== null || this.#ports.switchOff?.unmeasuredMargin === true) return 0;
    const [first] = [...this.#open.values()].filter(open => open.overheadKib === null);
    const isFirst = first === undefined || first.lease.id === id;
    return isFirst && ![...this.#unmeasured].some(vmId => this.isUnmeasured(vmId)) ? 0 : UNMEASURED_KIB;
  }

  get isWaiting(): boolean {
    return [...this.#open.values()].some(open => open.wait !== null);
  }

  specOf(lease: Lease): VmSpec {
    const open = this.#open.get(lease.id);
    if (open === undefined) throw new BugError(`lease ${lease.id} is not open`);
    return open.spec;
  }

  isOfSaved(lease: Lease): boolean {
    return this.#open.get(lease.id)?.isExact === true;
  }

  lease({
    spec,
    exactKib,
    signal,
  }: {
    spec: VmSpec;
    exactKib?: number;
    signal: AbortSignal;
  }): Promise<Lease> {
    const overheadKib = this.#ports.journal.overhead(spec.id);
    const host = this.#ports.model();
    const besideKib = host.leasedKib + this.marginKib(overheadKib, null);
    const nowKib = mostLeasableKib({ ...host, leasedKib: besideKib }, overheadKib);
    const { minKib, maxKib } = capped(spec, this.#ports.capKib());
    // What was saved can only go on as large as it was; its balloon shrinks it afterwards.
    const leastKib = exactKib ?? minKib;
    const mostKib = nowKib >= leastKib ? nowKib : mostLeasableKib(this.later(host), overheadKib);
    const bootKib = exactKib ?? Math.min(maxKib, Math.max(mostKib, leastKib));
    if (mostKib < leastKib) return Promise.reject(this.#notEnough(spec, leastKib, mostKib, []));
    const id = leaseIdSchema.parse(this.#ports.random.uuid());
    const lease = { id, vmId: spec.id, bootKib };
    return new Promise((resolve, reject) => {
      const nowMs = this.#ports.clock.monotonicMs();
      this.#open.set(id, {
        lease,
        spec,
        leastKib,
        isExact: exactKib !== undefined,
        overheadKib,
        wait: { resolve, reject },
        bestPoolKib: Number.NEGATIVE_INFINITY,
        movedAtMs: nowMs,
        patientUntilMs: nowMs,
        frozenAtMs: null,
      });
      signal.addEventListener('abort', () => this.#fail(id, cancelled(spec)), { once: true });
      if (signal.aborted) this.#fail(id, cancelled(spec));
      this.#ports.wake(`${spec.name} is about to start`);
    });
  }

  /** The VM's settings changed while it starts. */
  specChanged(spec: VmSpec): void {
    for (const [id, open] of this.#open) {
      if (open.lease.vmId !== spec.id) continue;
      this.#open.set(id, { ...open, spec });
      // M10: a lower maximum that is set while the start waits limits what it is given.
      const mostKib = Math.max(open.leastKib, floorMib(spec.maxKib));
      if (open.wait !== null && !open.isExact) open.lease.bootKib = Math.min(open.lease.bootKib, mostKib);
    }
  }

  /** A VM was started or found running, maybe still booting. `overheadKib`: from the journal; null: none. */
  runs(vmId: VmId, overheadKib: number | null): void {
    if (overheadKib === null && this.#ports.switchOff?.unmeasuredMargin !== true) this.#unmeasured.add(vmId);
  }

  /** True while the VM's QEMU has not yet shown what it needs. */
  isUnmeasured(vmId: VmId): boolean {
    return this.#unmeasured.has(vmId) && !this.#ports.isMeasured(vmId);
  }

  /** Ends a lease that was transferred or released. */
  settle(lease: Lease): void {
    this.#open.delete(lease.id);
    // If the row cannot be dropped, the next control voids the lease (M6).
    this.#ports.tried(() => this.#ports.journal.dropLease(lease.id));
  }

  /**
   * After each round: grants waiting leases for which there is room, in the order they came. `host` counts
   * every lease already. `isFrozen`: the host itself has nothing left, so nothing is granted.
   */
  look(host: HostModel, isFrozen: boolean): void {
    for (const vmId of this.#unmeasured) if (!this.isUnmeasured(vmId)) this.#unmeasured.delete(vmId);
    let behindKib = this.waitingKib();
    for (const [id, open] of this.#open) {
      if (open.wait === null) continue;
      behindKib -= this.#waitingKib(open);
      // A later lease takes nothing from an earlier one.
      const pool = poolKib(host) + behindKib;
      if (pool >= 0 && !isFrozen) {
        this.#grant(id, open);
        continue;
      }
      const nowMs = this.#ports.clock.monotonicMs();
      const hasEnough = reachableKib(open, pool) >= open.leastKib;
      open.frozenAtMs = isFrozen ? (open.frozenAtMs ?? nowMs) : null;
      if (open.frozenAtMs !== null) {
        if (nowMs - open.frozenAtMs >= NO_PROGRESS_MS) this.#fail(id, hostIsFull(open.spec));
      } else if (
        pool >=
        open.bestPoolKib + (hasEnough ? quickKib(host, nowMs - open.movedAtMs) : PROGRESS_KIB)
      ) {
        open.bestPoolKib = pool;
        open.movedAtMs = nowMs;
      } else if (!hasEnough && this.#waitsForOthers(id, open, host, nowMs)) open.patientUntilMs = nowMs;
      else if (nowMs - Math.max(open.movedAtMs, open.patientUntilMs) >= patienceMs(host, hasEnough))
        this.#settleForLess(id, open, host, pool);
    }
  }

  /** The host when all booting VMs, and those of all leases before `id` (null: of every lease), are up. */
  later(host: HostModel, id: string | null = null): HostModel {
    // Only a VM without a balloon may be up and still not have shown what its QEMU needs.
    let leasedKib = this.#besideKib(vmId => host.vms.find(vm => vm.id === vmId)?.held === 'no-balloon');
    for (const [other, { lease, spec, overheadKib }] of this.#open) {
      if (other === id) break;
      const keptKib = spec.balloon ? Math.min(spec.minKib, lease.bootKib) : lease.bootKib;
      leasedKib += keptKib + overheadKibOf(lease.bootKib, overheadKib);
    }
    return { ...onceUp(host), leasedKib, waitingKib: 0 };
  }

  /** VMs still to come up will give enough then. They come up one by one, and each renews the wait. */
  #waitsForOthers(id: string, open: OpenLease, host: HostModel, nowMs: number): boolean {
    const isFirst = this.#open.keys().next().value === id;
    if (nowMs - open.movedAtMs >= BOOTS_MS || (isFirst && host.vms.every(vm => vm.held !== 'booting')))
      return false;
    return mostLeasableKib(this.later(host, id), open.overheadKib) >= open.leastKib;
  }

  #grant(id: string, open: OpenLease): void {
    const { wait, lease } = open;
    // The lease is stored before anybody can spawn a QEMU on it.
    try {
      this.#ports.journal.putLease(lease);
    } catch (cause) {
      return this.#fail(id, notStored(open.spec, cause));
    }
    this.#open.set(id, { ...open, wait: null });
    wait?.resolve({ ...lease });
  }

  /** VMs that were asked do not give: the start takes what there is, if that is at least its minimum. */
  #settleForLess(id: string, open: OpenLease, host: HostModel, pool: number): void {
    const reachable = reachableKib(open, pool);
    if (reachable >= open.leastKib && reachable < open.lease.bootKib) {
      open.lease.bootKib = reachable;
      open.movedAtMs = this.#ports.clock.monotonicMs();
      return this.#ports.wake(null);
    }
    const owing = host.vms.filter(isOwing);
    this.#fail(id, this.#notEnough(open.spec, open.leastKib, Math.max(0, reachable), owing));
  }

  #fail(id: string, fault: Fault): void {
    const open = this.#open.get(id);
    if (open === undefined || open.wait === null) return;
    this.#open.delete(id);
    open.wait.reject(fault);
    this.#ports.wake(`${open.spec.name} could not start`);
  }

  #notEnough(spec: VmSpec, needKib: number, haveKib: number, owing: readonly VmModel[]): Fault {
    const { model, keptFreeKib } = this.#ports;
    const host = model();
    const who = (vms: readonly VmModel[], did: string): string =>
      vms.length === 0 ? '' : ` ${vms.map(vm => vm.name).join(', ')} ${did}.`;
    const why =
      who(owing, 'did not give memory back') +
      who(
        host.vms.filter(vm => vm.held === 'booting'),
        'did not finish starting',
      );
    return new Fault({
      code: 'memory.not-enough',
      what: `"${spec.name}" needs ${amountText(needKib)} to start and only ${amountText(haveKib)} can be freed.${why}`,
      safe: 'Nothing was changed; the other VMs keep running.',
      todo: remedyWhileKept(needKib - haveKib, keptFreeKib()) ?? remedy(spec, needKib, haveKib, host),
      data: { needKib, haveKib },
    });
  }
}

function patienceMs(host: HostModel, hasEnough: boolean): number {
  if (!hasEnough) return NO_PROGRESS_MS;
  // Booting VMs are not waited for any more, and no other VM can give anything.
  if (host.vms.every(vm => vm.held !== null || promisedKib(vm) <= vm.minKib + TOLERANCE_KIB)) return 0;
  return host.vms.some(vm => isGiving(vm) && !vm.isSlow && !vm.hasRefused) ? NO_QUICK_MS : HEARD_MS;
}

/** M4: adds what slow balloons bring meanwhile; else their trickle would count and renew the wait. */
const quickKib = (host: HostModel, sinceMs: number): number =>
  QUICK_KIB + slowlyKib(host.vms.filter(vm => vm.isSlow && isGiving(vm)).length, sinceMs);

const isGiving = ({ held, actualKib, targetKib }: VmModel): boolean =>
  held === null && (actualKib ?? 0) > (targetKib ?? 0);
const isOwing = (vm: VmModel): boolean => vm.held === 'quarantined' || vm.held === 'silent' || isGiving(vm);

/** Where it would suffice, the first remedy is to end the request that keeps memory free. */
function remedyWhileKept(missingKib: number, keptFreeKib: number): string | null {
  if (keptFreeKib === 0 || missingKib > keptFreeKib) return null;
  return `${amountText(keptFreeKib)} are being kept free for other programs: end that, then start it again.`;
}

/** The smallest thing that would help. */
function remedy(spec: VmSpec, needKib: number, haveKib: number, host: HostModel): string {
  const missing = needKib - haveKib;
  const helps = [...host.vms]
    .sort((a, b) => committedKib(a) - committedKib(b))
    .find(vm => {
      const kept = vm.held === null ? vm.minKib + vm.overheadKib : committedKib(vm);
      return kept >= missing;
    });
  if (helps !== undefined)
    return `Suspend or stop ${helps.name} first${haveKib >= 64 * MIB_KIB ? `, or lower the minimum of ${spec.name} to ${amountText(haveKib)}` : ''}.`;
  if (haveKib >= 64 * MIB_KIB) return `Lower the minimum of ${spec.name} to ${amountText(haveKib)} or less.`;
  return host.vms.length === 0
    ? `Close other programs, lower the host's reserve, or lower the minimum of ${spec.name}.`
    : 'Stop other VMs, or lower their minimums.';
}

const cancelled = (spec: VmSpec): Fault =>
  new Fault({
    code: 'cancelled',
    what: `Starting "${spec.name}" was cancelled.`,
    safe: 'Memory went back to the others.',
    todo: 'Start it again when you like.',
  });

const notStored = ({ name }: VmSpec, cause: unknown): Fault =>
  new Fault(
    {
      code: 'internal',
      what: `"${name}" cannot start: what it is promised could not be written down.`,
      safe: 'Nothing was changed; the other VMs keep running.',
      todo: 'Look whether the disk is full, then start it again.',
    },
    cause,
  );

export const hostIsFullText = (name: string): string =>
  `"${name}" cannot start: this computer's own programs have used its memory up.`;

const hostIsFull = ({ name }: VmSpec): Fault =>
  new Fault({
    code: 'memory.not-enough',
    what: hostIsFullText(name),
    safe: 'Nothing was changed; the other VMs keep running.',
    todo: 'Close programs, or suspend a VM, then start it again.',
  });
