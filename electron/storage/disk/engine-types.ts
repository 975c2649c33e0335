// What the engine asks of the world, its options, and what callers give it.
import type { DiskId, MomentId } from '../../../shared/ids.ts';
import type { MomentKind } from '../../../shared/timeline.ts';
import type { Clock, Folder, Random } from '../../platform/ports.ts';
import type { TakeOp, TimelineStore } from './state.ts';
import type { SwitchOffs } from './switch-offs.ts';

export interface EnginePorts {
  /** `<folder>/disks/<diskId>`. */
  readonly diskFolder: (diskId: DiskId) => Folder;
  readonly store: TimelineStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly bootId: string;
  /** Lets waiting requests of the guest run. */
  readonly turn: () => Promise<void>;
}

export interface EngineOptions {
  /** The simulation uses small blocks; files of ours always have 2 MiB. */
  readonly blockBytes?: number;
  /** Data of a reversal between two barriers; smaller in the simulation, so that it has several batches. */
  readonly batchBytes?: number;
  /** Shortest run of units that is shared rather than copied (T16); smaller in the simulation. */
  readonly cloneMinBytes?: number;
  /** With so many bytes free on the host's disk, nothing is punched in a file that goes soon anyway. */
  readonly roomyBytes?: number;
  readonly switchOff?: SwitchOffs;
  /** False: settling waits for `settle()`; the simulation steps it. */
  readonly autoSettle?: boolean;
}

/** Large enough that fdatasync does not dominate, small enough to stop and tell often. */
const BATCH_BYTES = 8 * 2 ** 20;
/** Small enough to be stopped, and to tell its progress, several times a second. */
const IDLE_BATCH_BYTES = 64 * 2 ** 20;
/** Telling another process to share a range costs as much as copying about so many bytes of it. */
const CLONE_MIN_BYTES = 64 * 1024;
/** Several times what an ordinary point holds. */
const ROOMY_BYTES = 16 * 2 ** 30;

/** How the engine settles: the options given, else the values above. */
export const settlingOf = ({ switchOff, batchBytes, cloneMinBytes, roomyBytes }: EngineOptions) => ({
  off: switchOff ?? {},
  batchBytes: batchBytes ?? BATCH_BYTES,
  idleBatchBytes: batchBytes ?? IDLE_BATCH_BYTES,
  cloneMinBytes: cloneMinBytes ?? CLONE_MIN_BYTES,
  roomyBytes: roomyBytes ?? ROOMY_BYTES,
});

export interface NewMoment {
  readonly name: string;
  readonly note: string;
  readonly kind: MomentKind;
  /** Of disks whose content came, whole, from elsewhere. */
  readonly origins?: TakeOp['origins'];
}
export interface MomentChange {
  readonly momentId: MomentId;
  readonly name?: string | undefined;
  readonly note?: string | undefined;
  readonly pinned?: boolean | undefined;
}
