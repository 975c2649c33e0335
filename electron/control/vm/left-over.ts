// What a control that died in the middle of saving memory, loading it or taking a moment left behind in a QEMU that runs
// on, and what the next one does about it. Pure.

/** Noted before a guest is frozen or its memory saved; gone when it goes on. */
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
  /** Its file systems may be frozen: nobody else will thaw them. */
  | 'thaw'
  /** Nothing of its memory is still being written: it goes on where it stood. */
  | 'go-on'
  /** All of it is saved, and it did not run since: QEMU is ended, as suspending would have. */
  | 'end-suspended'
  /** It ran after its memory was saved: resumed once more, that memory would meet disks of a later time. */
  | 'forget-saved';

/** QEMU has not run the guest: it waits for its memory, or has it and was not told to go. */
const NEVER_RAN: readonly string[] = ['inmigrate', 'prelaunch', 'paused'];

export function remedyOf({ status, hasSavedMemory, note }: LeftOver): Remedy {
  if (hasSavedMemory)
    return status === 'postmigrate' || NEVER_RAN.includes(status) ? 'end-suspended' : 'forget-saved';
  if (note?.kind === 'frozen') return 'thaw';
  if (status === 'postmigrate') return 'go-on';
  return note?.wasRunning === true && (status === 'paused' || status === 'finish-migrate') ? 'go-on' : 'none';
}
