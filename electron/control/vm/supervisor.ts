// The supervisor of one VM (L1): owns its QEMU process, QMP session and state. Decisions are in state.ts;
// this file acts. People's operations come one after another; QEMU's events come at any time.
import type { ErrorBody } from '../../../shared/errors.ts';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { VmSpec, VmState } from '../../../shared/vm.ts';
import { isLive, MAY } from '../../../shared/vm-phase.ts';
import type { ProcessId } from '../../platform/process.ts';
import type { GuestPort, Lease } from '../ports.ts';
import { mendLeftOver } from './after-death.ts';
import { type Stays, saveOrGoOn } from './barrier.ts';
import { endQemu, hasEnded } from './end-qemu.ts';
import { type Found, findRunning, REACH_AGAIN_MS, unreachable } from './find-running.ts';
import { logPath } from './home-files.ts';
import * as launching from './launch.ts';
import type { Live } from './live.ts';
import { GONE, openQmp, whyNotStarted } from './open-qmp.ts';
import { powerDown } from './power-down.ts';
import { diskErrorText, onQemuEvent, STAYS_TEXT, whyStill } from './qemu-events.ts';
import { reachGuest } from './reach-guest.ts';
import { resizeDisk } from './resize-disk.ts';
import { Recovery } from './resume-when-well.ts';
import { letRun, letStand, type OwnedInput } from './run-or-stand.ts';
import { type RunRecord, socketsIn } from './run-record.ts';
import { initialState, nextState, type VmEvent } from './state.ts';
import { bodyOf, diedUnasked, noQemu, qemuMissing, stillRuns, wrongState } from './supervisor-errors.ts';
import type {
  OnStep,
  SupervisorPorts,
  TakeMemory,
  Taken,
  VmFolders,
  VmSupervisor,
} from './supervisor-port.ts';
import * as saving from './suspended.ts';
import { takeMoment } from './take-moment.ts';
import { delay, until } from './wait.ts';
import { ComingWatch } from './watch-coming.ts';

const QUIT = { timeoutMs: 5_000, stepMs: 20 };

export interface SupervisorInput {
  readonly spec: VmSpec;
  readonly folders: VmFolders;
  readonly ports: SupervisorPorts;
}

export class QemuSupervisor implements VmSupervisor {
  readonly vmId: VmId;
  readonly #folders: VmFolders;
  readonly #ports: SupervisorPorts;
  readonly #listeners = new Set<(state: VmState) => void>();
  readonly #coming: ComingWatch;
  readonly #recovery: Recovery;
  #spec: VmSpec;
  #state: VmState;
  #live: Live | null = null;
  #isDisposed = false;
  /** A QEMU that was found running and could not be reached yet (M9). */
  #found: ProcessId | null = null;
  readonly #isRunWanted = (): boolean => this.#state.phase !== 'paused' || this.#recovery.isWaiting;

  constructor({ spec, folders, ports }: SupervisorInput) {
    this.vmId = spec.id;
    this.#spec = spec;
    this.#folders = folders;
    this.#ports = ports;
    this.#state = initialState(ports.clock.wallMs(), this.savedRecord() !== null);
    const told = { state: () => this.#state, feed: (event: VmEvent) => this.#feed(event) };
    this.#coming = new ComingWatch({ ports, folders, live: () => this.#live, ...told });
    this.#recovery = new Recovery(ports, told);
  }

  state(): VmState {
    return this.#state;
  }

  setSpec(spec: VmSpec): void {
    this.#spec = spec;
    this.#capCpu();
  }

  #capCpu(pid = this.#state.pid): void {
    if (pid !== null) this.#ports.cpu.set(this.vmId, pid, this.#spec.cpuCapPercent);
  }

  onChange(listener: (state: VmState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  savedRecord(): RunRecord | null {
    return saving.readSavedRecord(this.#folders, this.#ports);
  }

  placeSaved(record: RunRecord, link: (path: string) => void): void {
    this.#require('start');
    saving.placeSaved(record, link, this.#folders, this.#ports);
    this.#feed({ kind: 'suspended' });
  }

  reached(): Pick<Live, 'qmp' | 'agent'> | null {
    return this.#live;
  }

  socketPath(of: 'vnc' | 'serial'): string {
    return socketsIn(this.#folders.run)[of];
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#live?.qmp.close();
  }

  #feed(event: VmEvent): void {
    const before = this.#state;
    this.#state = nextState(before, event, this.#ports.clock.wallMs());
    if (event.kind === 'spawned') this.#capCpu();
    else if (before.pid !== null && this.#state.pid === null) this.#ports.cpu.ended(before.pid);
    if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state);
    this.#coming.heard(before.phase, event);
  }

  #require(verb: keyof typeof MAY): void {
    const { phase } = this.#state;
    if (MAY[verb].includes(phase)) return;
    throw new Fault(wrongState(this.#spec.name, phase, verb));
  }

  async start(signal: AbortSignal, onStep: OnStep): Promise<void> {
    this.#require('start');
    const saved = saving.admitStart(this.vmId, this.#folders, this.#ports);
    this.#feed({ kind: 'start' });
    const step: OnStep = (words, bytes) => {
      this.#feed({ kind: 'step', words });
      onStep(words, bytes);
    };
    let lease: Lease | null = null;
    let process: ProcessId | null = null;
    try {
      const program = this.#ports.qemu();
      if (program === null) throw new Fault(qemuMissing());
      step('freeing memory');
      const exact = saved === null ? {} : { exactKib: saved.bootKib };
      lease = await this.#ports.memory.lease({ spec: this.#spec, signal, ...exact });
      const record = await launching.runRecord(this.#launch(), saved, lease.bootKib);
      step('opening the disks');
      await launching.openExportsInTime(this.#launch());
      signal.throwIfAborted();
      step('starting QEMU');
      process = await launching.spawnQemu(this.#launch(), program, record, saved !== null);
      this.#feed({ kind: 'spawned', pid: process.pid, accelerator: record.accelerator });
      // Before QEMU is reached: what it holds must not count as the host's own use.
      this.#ports.memory.transfer(lease, this.#unreached(process));
      lease = null;
      step('waiting for QEMU to answer');
      const live = await this.#connect(process, record);
      if (saved !== null) {
        step('reading saved memory');
        await saving.loadMemory(live.qmp, saved, this.#folders, this.#ports);
      }
      this.#feed({ kind: 'running' });
      this.#ports.memory.event(this.vmId, 'started');
    } catch (cause) {
      const why = await whyNotStarted(this.#folders, this.#ports, process, cause);
      await this.#undoStart(lease, process, signal.aborted ? null : bodyOf(why));
      throw why;
    }
  }

  #unreached({ pid }: ProcessId): GuestPort {
    return unreachable(this.vmId, pid, () => this.#ports.residents.now(pid));
  }

  #launch(): launching.LaunchInput {
    return { spec: this.#spec, folders: this.#folders, ports: this.#ports };
  }

  /** Waits for QMP as long as QEMU lives, then listens. Faults with QEMU's own last words. */
  async #connect(process: ProcessId, record: RunRecord): Promise<Live> {
    const qmp = await openQmp(this.#folders, this.#ports, process);
    const { vmId } = this;
    const reached = reachGuest({ vmId, folders: this.#folders, ports: this.#ports, process, record, qmp });
    const live: Live = { process, qmp, record, isEndWanted: false, isAtBarrier: false, ...reached };
    this.#live = live;
    const channels = new Set<string>();
    qmp.onEvent((name, data) =>
      onQemuEvent(name, data, {
        phase: this.#state.phase,
        channels,
        isAtBarrier: live.isAtBarrier,
        feed: event => this.#feed(event),
        tell: event => this.#ports.memory.event(this.vmId, event),
        endsItself: () => {
          live.isEndWanted = true;
        },
        diskFailed: isFull => void this.#recovery.begin(live, diskErrorText(isFull)),
      }),
    );
    qmp.onClose(() => void this.#onClose(live));
    await live.guest.startStatistics();
    this.#ports.memory.reached(this.vmId, live.guest);
    return live;
  }

  /** `error` null: the start was cancelled. */
  async #undoStart(lease: Lease | null, process: ProcessId | null, error: ErrorBody | null): Promise<void> {
    const live = this.#live;
    if (live !== null) live.isEndWanted = true;
    this.#live = null;
    live?.qmp.close();
    if (process !== null) await this.#endQemu(process);
    // M9: the next control finds the VM by what is noted of it.
    if (this.#isDisposed) return;
    if (lease !== null) this.#ports.memory.release(lease);
    else this.#ports.memory.detach(this.vmId, 'crashed');
    await launching.giveBack(this.#launch());
    if (error !== null) return this.#feed({ kind: 'failed', error });
    this.#feed(this.savedRecord() === null ? { kind: 'ended', error } : { kind: 'suspended' });
  }

  #endQemu(process: ProcessId): Promise<void> {
    return endQemu(process, this.#ports, this.vmId, () => this.#isDisposed);
  }

  /** QMP closed: QEMU is ending or gone, unless we let go of it. */
  async #onClose(live: Live): Promise<void> {
    if (this.#isDisposed || this.#live !== live) return;
    const isGone = await hasEnded(live.process, GONE, this.#ports);
    if (this.#live !== live || this.#isDisposed) return;
    this.#live = null;
    if (!isGone) await this.#endQemu(live.process);
    if (this.#isDisposed) return;
    const isSuspending = this.#state.phase === 'suspending' && this.savedRecord() !== null;
    await this.#ended({ isSuspending, isWanted: live.isEndWanted });
  }

  #current(): Live {
    if (this.#live !== null) return this.#live;
    throw new Fault(noQemu(this.#spec.name));
  }

  #owned(): OwnedInput {
    return { ...this.#launch(), live: this.#current(), feed: event => this.#feed(event) };
  }

  async stop(how: 'shutdown' | 'force', signal: AbortSignal, onStep: OnStep): Promise<void> {
    this.#require(how === 'force' ? 'force' : 'stop');
    if (how === 'force' && this.#live === null && !isLive(this.#state.phase)) {
      saving.forgetSavedMemory(this.#folders, this.#ports);
      return this.#feed({ kind: 'ended', error: null });
    }
    if (how === 'force' && this.#found !== null) return this.#forceFound(this.#found, onStep);
    const live = this.#current();
    if (how === 'force') return this.#force(live, onStep);
    if (this.#state.phase === 'paused') await letRun(this.#owned());
    this.#feed({ kind: 'stop' });
    onStep('asking the guest to shut down');
    const isOff = (): boolean => !isLive(this.#state.phase);
    if (await powerDown(live, this.#ports.clock, isOff, signal)) return;
    const error = stillRuns(this.#spec.name, signal.aborted);
    this.#feed({ kind: 'stop-refused', error });
    throw new Fault(error);
  }

  /** QEMU cannot be reached, so it is not asked first. */
  async #forceFound(process: ProcessId, onStep: OnStep): Promise<void> {
    onStep('ending QEMU');
    await this.#endQemu(process);
    await until(this.#ports.clock, GONE, () => (isLive(this.#state.phase) ? null : true));
  }

  async #force(live: Live, onStep: OnStep): Promise<void> {
    live.isEndWanted = true;
    // A suspend whose memory is saved ends its QEMU here, too, and stays a suspend.
    if (this.#state.phase !== 'suspending') this.#feed({ kind: 'stop' });
    onStep('ending QEMU');
    // An answer is not waited for: a QEMU that hangs is killed.
    live.qmp.execute('quit', undefined, QUIT.timeoutMs).catch(() => undefined);
    if (!(await hasEnded(live.process, QUIT, this.#ports))) await this.#endQemu(live.process);
    await until(this.#ports.clock, GONE, () => (isLive(this.#state.phase) ? null : true));
  }

  async pause(): Promise<void> {
    this.#require('pause');
    await letStand(this.#owned());
  }

  async resume(): Promise<void> {
    this.#require('resume');
    await letRun(this.#owned());
  }

  async reset(): Promise<void> {
    this.#require('reset');
    await this.#current().qmp.execute('system_reset');
    // A machine stopped by a panic stays stopped through a reset.
    if (this.#state.phase === 'paused') await letRun(this.#owned());
  }

  async diskGrew(index: number, virtualBytes: number): Promise<void> {
    await resizeDisk(this.#current().qmp, this.#ports.clock, { index, virtualBytes });
  }

  async suspend(signal: AbortSignal, onStep: OnStep): Promise<void> {
    this.#require('suspend');
    const live = this.#current();
    const wasRunning = this.#isRunWanted();
    this.#feed({ kind: 'suspend' });
    onStep('saving memory');
    let wentOn: (() => void) | null = null;
    const stays: Stays = later => {
      wentOn = later;
    };
    try {
      await saveOrGoOn({ ...live, ...this.#launch(), signal, onStep, isRunWanted: () => wasRunning, stays });
    } catch (cause) {
      this.#feed({ kind: 'suspend-failed', error: bodyOf(cause), wasRunning });
      if (wentOn !== null) void this.#recovery.begin(live, STAYS_TEXT, wentOn);
      throw cause;
    }
    await this.#force(live, onStep);
  }

  take<T>(memory: TakeMemory | null, commit: () => Promise<T>): Promise<Taken<T>> {
    if (memory !== null) this.#require('suspend');
    const live = this.#live;
    const stays: Stays = wentOn => void (live !== null && this.#recovery.begin(live, STAYS_TEXT, wentOn));
    const wanted = { isRunWanted: this.#isRunWanted, stays };
    return takeMoment({ ...this.#launch(), live, phase: this.#state.phase, ...wanted }, memory, commit);
  }

  async adopt(): Promise<boolean> {
    const found = await findRunning(this.#folders, this.#ports);
    if (found === null) {
      // T17: the last control may have died while QEMU ended, or in a start with open disks and no QEMU yet.
      await launching.giveBack(this.#launch());
      return false;
    }
    const { record, process } = found;
    this.#found = process;
    this.#feed({ kind: 'start' });
    this.#feed({ kind: 'spawned', pid: process.pid, accelerator: record.accelerator });
    // M9: the VM counts whether or not its QEMU can be reached.
    this.#ports.memory.adopt(this.#spec, record.bootKib, this.#unreached(process));
    if (!(await this.#takeOver(found))) void this.#takeOverLater(found);
    return true;
  }

  async #takeOver({ record, process }: Found): Promise<boolean> {
    try {
      await launching.openExports(this.#launch(), true);
      const live = await this.#connect(process, record);
      const found = await mendLeftOver(live, this.#folders, this.#ports);
      if (found === 'suspended') {
        this.#feed({ kind: 'suspend' });
        await this.#force(live, () => undefined);
        return true;
      }
      const why = await whyStill(live.guest);
      const { driverReady } = await live.guest.sample();
      this.#found = null;
      this.#feed({ kind: 'running', ...(record.since === undefined ? {} : { since: record.since }) });
      if (why === '') this.#feed({ kind: 'paused', why });
      else if (why !== null) void this.#recovery.begin(live, why);
      if (driverReady) this.#feed({ kind: 'guest-up' });
      return true;
    } catch (cause) {
      this.#ports.log(`vm ${this.vmId}: runs and cannot be reached: ${String(cause)}`);
      const live = this.#live;
      this.#live = null;
      live?.qmp.close();
      this.#ports.memory.reached(this.vmId, this.#unreached(process));
      this.#feed({ kind: 'step', words: 'its QEMU runs and cannot be reached yet' });
      return false;
    }
  }

  async #takeOverLater(found: Found): Promise<void> {
    for (;;) {
      await delay(this.#ports.clock, REACH_AGAIN_MS);
      if (this.#isDisposed) return;
      if (!this.#ports.isAlive(found.process)) {
        this.#found = null;
        return this.#ended({ isSuspending: false, isWanted: false });
      }
      if (await this.#takeOver(found)) return;
    }
  }

  /** The process is gone. */
  async #ended({ isSuspending, isWanted }: { isSuspending: boolean; isWanted: boolean }): Promise<void> {
    this.#ports.memory.detach(this.vmId, isSuspending ? 'suspended' : isWanted ? 'stopped' : 'crashed');
    await launching.giveBack(this.#launch());
    if (isSuspending) return this.#feed({ kind: 'suspended' });
    const error = isWanted ? null : diedUnasked(this.#ports.readText(logPath(this.#folders)));
    this.#feed({ kind: 'ended', error });
  }
}
