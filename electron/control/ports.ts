// The seams inside control: a VM's supervisor needs memory and disks, the memory manager needs guests. Each side
// sees only these interfaces; compose.ts joins them.
import type { DiskId, LeaseId, MomentId, VmId } from '../../shared/ids.ts';
import type { VmSpec } from '../../shared/vm.ts';

/** What storage is told when a VM goes back. Told twice, the same order is carried out once. */
export interface MoveOrder {
  readonly momentId: MomentId;
  readonly keepName: string;
  readonly orderId: MomentId;
}

/** Balloon statistics as the guest tells them, KiB; null where it does not tell. Guests lie: check before use. */
export interface GuestStats {
  readonly totalKib: number | null;
  readonly freeKib: number | null;
  readonly availableKib: number | null;
  readonly cachesKib: number | null;
  readonly swapInKib: number | null;
  readonly swapOutKib: number | null;
  readonly majorFaults: number | null;
  /** Guest's own `last-update`, wall ms; 0 when the driver never reported. */
  readonly updatedAtMs: number;
}

/** What an agent inside the guest says, where there is one: a guest's word like its statistics. */
export interface AgentFigures {
  /** Linux PSI `some avg10`, percent. */
  readonly stalled: number | null;
  readonly swappedKib: number | null;
  /** When it was heard, monotonic. */
  readonly atMs: number;
}

export interface GuestSample {
  /** QMP query-balloon (M4); null when the machine has no balloon device. */
  readonly actualKib: number | null;
  readonly stats: GuestStats | null;
  /** Last heard, however long ago; absent: never. */
  readonly agent?: AgentFigures | null;
  /** The guest's balloon driver is loaded (VIRTIO_CONFIG_S_DRIVER_OK, or statistics arrived). */
  readonly driverReady: boolean;
  /** RSS of the QEMU process. */
  readonly residentKib: number | null;
  readonly paused: boolean;
}

/** A running VM as the memory manager reaches it. Calls reject with a Fault when the VM is gone or silent. */
export interface GuestPort {
  readonly vmId: VmId;
  /** The pid of its QEMU. */
  readonly pid?: number;
  /** Asks only (M4). Multiple of 1 MiB. */
  setTarget(targetKib: number): Promise<void>;
  sample(): Promise<GuestSample>;
  /** RSS of the QEMU process now, asked of the host alone: also when QMP is silent. */
  residentKib?(): number | null;
}

/** What happened to a VM, for replanning (M5). */
export type VmMemoryEvent =
  | 'started'
  | 'guest-up'
  | 'stopped'
  | 'paused'
  | 'resumed'
  | 'reset'
  | 'crashed'
  | 'suspended'
  | 'balloon-changed';

/** M6: memory promised to a VM not yet running. `bootKib` is what `-m` gets. */
export interface Lease {
  readonly id: LeaseId;
  readonly vmId: VmId;
  readonly bootKib: number;
}

export interface MemoryPort {
  /**
   * Frees what is missing from other guests, waits until the release has been observed (M3), stores the lease.
   * `exactKib` fixes `-m` (resume from suspend). Throws Fault memory.not-enough with reason and remedy.
   */
  lease(request: { spec: VmSpec; exactKib?: number; signal: AbortSignal }): Promise<Lease>;
  /** QEMU runs: the lease becomes the VM's commitment. `guest` may be one that cannot be reached yet. */
  transfer(lease: Lease, guest: GuestPort): void;
  /** From now on the VM is reached by this port. */
  reached(vmId: VmId, guest: GuestPort): void;
  /** The start failed, or was cancelled. */
  release(lease: Lease): void;
  /** Control restarted and found the VM running (M9): commit = max(actual, journaled target), or max if unknown. */
  adopt(spec: VmSpec, bootKib: number, guest: GuestPort): void;
  /** The process is gone: nothing is committed any more. */
  detach(vmId: VmId, why: VmMemoryEvent): void;
  event(vmId: VmId, event: VmMemoryEvent): void;
  /** Name, range, weight or balance changed. */
  specChanged(spec: VmSpec): void;
}

export interface StoragePort {
  /**
   * Serves the disk's Now; resolves with the NBD export's name. Idempotent; re-opened after a storage death.
   * `isReopened`: the QEMU that used it lives on.
   */
  openExport(
    vmId: VmId,
    diskId: DiskId,
    socketPath: string,
    isReopened?: boolean,
  ): Promise<{ exportName: string }>;
  closeExport(vmId: VmId, diskId: DiskId): Promise<void>;
  /** Resolves when storage answers again; used before resuming a VM paused on an I/O error (L5). */
  healthy(): Promise<void>;
  /** T14: whether a disk of the VM is poisoned, and so takes nothing more from the QEMU that uses it now. */
  isSpoiled(vmId: VmId): Promise<boolean>;
}
