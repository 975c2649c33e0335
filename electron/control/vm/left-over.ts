// Decides what the next control does with a QEMU that outlived a control which died while it was saving
// memory, loading it or taking a moment. Pure.

/** Written before a guest is frozen or its memory is saved; removed when the guest goes on. */
export interface BarrierNote {
  readonly kind: 'frozen' | 'memory';
  readonly wasRunning: boolean;
}

export interface LeftOver {
  /** QMP `query-status`. */
  readonly status: string;
  readonly hasSavedMemory: boolean;
  readonly note: BarrierNote | null;
}

export type Remedy =
  | 'none'
  /** The guest's file systems may be frozen, and nobody else will thaw them. */
  | 'thaw'
  /** The guest's memory is no longer being saved: the guest goes on where it stood. */
  | 'go-on'
  /** All memory is saved and the guest did not run since: QEMU is ended, as the suspend would have done. */
  | 'end-suspended'
  /** The guest ran after its memory was saved: if resumed, that memory would meet disks of a later time. */
  | 'forget-saved';

/** QEMU has not run the guest: it waits for the saved memory, or has it and was not told to go on. */
const NEVER_RAN: readonly string[] = ['inmigrate', 'prelaunch', 'paused'];

export function remedyOf({ status, hasSavedMemory, note }: LeftOver): Remedy {
  if (hasSavedMemory)
    return status === 'postmigrate' || NEVER_RAN.includes(status) ? 'end-suspended' : 'forget-saved';
  if (note?.kind === 'frozen') return 'thaw';
  if (status === 'postmigrate') return 'go-on';
  return note?.wasRunning === true && (status === 'paused' || status === 'finish-migrate') ? 'go-on' : 'none';
}
