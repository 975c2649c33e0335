// What the service sees of a VM, and what a supervisor needs of the world.
import type { VmId } from '../../../shared/ids.ts';
import type { Consistency } from '../../../shared/moment-extras.ts';
import type { VmSpec, VmState } from '../../../shared/vm.ts';
import type { Firmware } from '../../../shared/vm-setup.ts';
import type { ByteStream } from '../../platform/byte-stream.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Detached, ProcessId } from '../../platform/process.ts';
import type { Residents } from '../../platform/resident.ts';
import type { SmallFiles } from '../../platform/small-files.ts';
import type { Packing, Receiving } from '../../platform/stream-file.ts';
import type { MemoryPort, StoragePort } from '../ports.ts';
import type { Step } from '../tasks/tasks.ts';
import type { CpuCaps } from './cpu-cap.ts';
import type { FirmwareFiles } from './host-parts.ts';
import type { Live } from './live.ts';
import type { RunRecord } from './run-record.ts';
import type { Accelerator } from './spec-to-argv.ts';

export type OnStep = Step;

export interface VmSupervisor {
  readonly vmId: VmId;
  state(): VmState;
  onChange(listener: (state: VmState) => void): () => void;
  /** The VM's spec changed. Its cap on processors applies at once, QEMU's arguments at the next start. */
  setSpec(spec: VmSpec): void;
  /** From off, failed or suspended. Resolves when the virtual CPUs run. Undone whole on failure. */
  start(signal: AbortSignal, onStep: OnStep): Promise<void>;
  /** `shutdown` asks the guest and waits; Fault vm.timeout when it does not listen. `force` ends QEMU. */
  stop(how: 'shutdown' | 'force', signal: AbortSignal, onStep: OnStep): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  reset(): Promise<void>;
  /** A disk is larger now: a QEMU that runs hears of it, and its guest. Faults: qemu.refused, vm.timeout, vm.died. */
  diskGrew(index: number, virtualBytes: number): Promise<void>;
  suspend(signal: AbortSignal, onStep: OnStep): Promise<void>;
  /**
   * `commit` takes the points: with the guest's file systems frozen where its agent can, or, with `memory`, at the instant
   * its memory was saved. Faults: `commit`'s, the saving's, vm.wrong-state; the guest goes on in any case.
   */
  take<T>(memory: TakeMemory | null, commit: () => Promise<T>): Promise<Taken<T>>;
  /** The machine whose saved memory waits to be resumed: the disks must not change under it. Null: none. */
  savedRecord(): RunRecord | null;
  /** From off, failed or suspended: suspends the VM with memory that was saved with a moment. */
  placeSaved(record: RunRecord, link: (path: string) => void): void;
  /** The VM's QEMU and the agent inside; null: they cannot be reached now. */
  reached(): Pick<Live, 'qmp' | 'agent'> | null;
  socketPath(of: 'vnc' | 'serial'): string;
  /** Control restarted: finds a QEMU that still runs and takes it over (M9). True when there was one. */
  adopt(): Promise<boolean>;
  /** Lets go of a running VM without touching it. */
  dispose(): void;
}

export interface TakeMemory {
  /** The file that the memory is written to. */
  readonly memoryPath: string;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}
export interface Taken<T> {
  readonly value: T;
  readonly consistency: Consistency;
  /** The very machine whose memory was saved (L4); null: no memory was. */
  readonly record: RunRecord | null;
}

export interface VmFolders {
  /** Durable: run.json, suspended state, qemu.log. */
  readonly home: string;
  /** Sockets, 0700, short. */
  readonly run: string;
}

/** What machines are made of beside QEMU. */
export interface PartsPort extends Pick<SmallFiles, 'bytesOf' | 'copyDurably'> {
  /** Null where it is missing. */
  readonly swtpm: () => string | null;
  readonly firmware: (firmware: Exclude<Firmware, 'bios'>, varsBytes: number | null) => FirmwareFiles | null;
}

export interface SupervisorPorts
  extends Pick<
    SmallFiles,
    'readJson' | 'readText' | 'readWhole' | 'writeJson' | 'removeFile' | 'removeTree' | 'makePrivateFolder'
  > {
  readonly parts: PartsPort;
  readonly clock: Clock;
  readonly memory: MemoryPort;
  readonly storage: StoragePort;
  /** Asked before a start does anything; `saved`: the suspended machine's arguments. Fault policy.denied. */
  readonly admit: (vmId: VmId, saved: readonly string[] | null) => void;
  readonly cpu: Pick<CpuCaps, 'set' | 'ended'>;
  /** L2: remembered; a first call may take seconds. */
  readonly accelerator: () => Promise<Accelerator>;
  /** Full path of qemu-system-x86_64; null where it is missing. */
  readonly qemu: () => string | null;
  readonly sample: () => { readonly kernel: string; readonly initrd: string } | null;
  readonly isoPath: (spec: VmSpec) => string | null;
  readonly spawn: (command: string, args: readonly string[], logPath: string) => Promise<Detached>;
  readonly processOf: (pid: number) => ProcessId;
  readonly isAlive: (id: ProcessId) => boolean;
  readonly end: (id: ProcessId, signal: 'SIGTERM' | 'SIGKILL') => void;
  /** Resident memory of processes. */
  readonly residents: Residents;
  readonly connect: (path: string) => Promise<ByteStream>;
  readonly receiveToFile: (socketPath: string, filePath: string, packing: Packing) => Promise<Receiving>;
  readonly sendFile: (filePath: string, socketPath: string, packing: Packing) => Promise<void>;
  readonly log: (line: string) => void;
}
