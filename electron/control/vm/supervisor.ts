// One per VM (L1): owns its QEMU process, QMP session and state. Decisions are in state.ts; this file acts. Operations of
// people come one after another; QEMU's events come whenever they like.
import type { ErrorBody } from '../../../shared/errors.ts';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { VmSpec, VmState } from '../../../shared/vm.ts';
import type { ProcessId } from '../../platform/process.ts';
import type { Lease } from '../ports.ts';
import { QmpSession } from '../qmp/session.ts';
import { Guest } from './guest.ts';
import { closeExports, type LaunchInput, logPath, openExports, recordPath, runRecord } from './launch.ts';
import { resizeDisk } from './resize-disk.ts';
import { resumeWhenWell } from './resume-when-well.ts';
import { type RunRecord, runRecordSchema, socketsIn } from './run-record.ts';
import type { Accelerator } from './spec-to-argv.ts';
import { initialState, isLive, MAY, nextState, type VmEvent } from './state.ts';
import { bodyOf, noQemu, qemuDied, qemuMissing, stillRuns, wrongState } from './supervisor-errors.ts';
import type { OnStep, SupervisorPorts, VmFolders, VmSupervisor } from './supervisor-port.ts';
import { hasSavedMemory, loadMemory, readSavedRecord, saveMemory } from './suspended.ts';
import { until } from './wait.ts';

const QMP_UP = { timeoutMs: 30_000, stepMs: 25 };
/** ACPI shutdown: a desktop guest needs its time; then the person decides. */
const SHUTDOWN_TIMEOUT_MS = 90_000;
/** A guest that still boots does not hear the power button: it is pressed again. */
const POWER_BUTTON_MS = 5_000;
const QUIT_TIMEOUT_MS = 5_000;
const GONE = { timeoutMs: 10_000, stepMs: 20 };

export interface SupervisorInput {
  readonly spec: VmSpec;
  readonly folders: VmFolders;
  readonly ports: SupervisorPorts;
}

/** What exists only while QEMU does. */
interface Live {
  readonly process: ProcessId;
  readonly qmp: QmpSession;
  readonly guest: Guest;
  readonly record: RunRecord;
  /** We asked it to end, or the guest shut itself down: its end is no failure. */
  isEndWanted: boolean;
}

export class QemuSupervisor implements VmSupervisor {
  readonly vmId: VmId;
  readonly #folders: VmFolders;
  readonly #ports: SupervisorPorts;
  readonly #listeners = new Set<(state: VmState) => void>();
  #spec: VmSpec;
  #state: VmState;
  #live: Live | null = null;
  #isDisposed = false;
  #isRecovering = false;

  constructor({ spec, folders, ports }: SupervisorInput) {
    this.vmId = spec.id;
    this.#spec = spec;
    this.#folders = folders;
    this.#ports = ports;
    this.#state = initialState(ports.clock.wallMs(), hasSavedMemory(folders, ports));
  }

  state(): VmState {
    return this.#state;
  }

  setSpec(spec: VmSpec): void {
    this.#spec = spec;
  }

  onChange(listener: (state: VmState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hasSavedMemory(): boolean {
    return hasSavedMemory(this.#folders, this.#ports);
  }

  vncSocketPath(): string {
    return socketsIn(this.#folders.run).vnc;
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#live?.qmp.close();
  }

  #feed(event: VmEvent): void {
    const before = this.#state;
    this.#state = nextState(before, event, this.#ports.clock.wallMs());
    if (this.#state !== before) for (const listener of this.#listeners) listener(this.#state);
  }

  #require(verb: keyof typeof MAY): void {
    const { phase } = this.#state;
    if (MAY[verb].includes(phase)) return;
    throw new Fault(wrongState(this.#spec.name, phase, verb));
  }

  async start(signal: AbortSignal, onStep: OnStep): Promise<void> {
    this.#require('start');
    const saved = readSavedRecord(this.#folders, this.#ports);
    this.#feed({ kind: 'start' });
    const step: OnStep = (words, progress) => {
      this.#feed({ kind: 'step', words });
      onStep(words, progress);
    };
    let lease: Lease | null = null;
    let process: ProcessId | null = null;
    try {
      const program = this.#ports.qemu();
      if (program === null) throw new Fault(qemuMissing());
      step('freeing memory');
      lease = await this.#ports.memory.lease({
        spec: this.#spec,
        signal,
        ...(saved === null ? {} : { exactKib: saved.bootKib }),
      });
      const record = await runRecord(this.#launch(), saved, lease.bootKib);
      step('opening the disks');
      await openExports(this.#launch());
      signal.throwIfAborted();
      step('starting QEMU');
      process = await this.#spawn(program, record, saved !== null);
      const live = await this.#connect(process, record);
      this.#ports.memory.transfer(lease, live.guest, process.pid);
      lease = null;
      if (saved !== null) {
        step('reading saved memory');
        await loadMemory(live.qmp, this.#folders, this.#ports);
      }
      this.#feed({ kind: 'running' });
      this.#ports.memory.event(this.vmId, 'started');
    } catch (cause) {
      const why = await this.#whyNotStarted(process, cause);
      await this.#undoStart(lease, process, why, signal);
      throw why;
    }
  }

  /** QEMU opens its control socket before it looks at its devices: the session knows only that it closed. */
  async #whyNotStarted(process: ProcessId | null, cause: unknown): Promise<unknown> {
    if (process === null || !(cause instanceof Fault) || cause.body.code !== 'vm.died') return cause;
    await until(this.#ports.clock, GONE, () => (this.#ports.isAlive(process) ? null : true));
    return new Fault(this.#qemuDied('QEMU ended while starting.'), cause);
  }

  /** The record is durable before QEMU exists, so that a control that dies here finds it again (M9). */
  async #spawn(program: string, record: RunRecord, incoming: boolean): Promise<ProcessId> {
    const sockets = socketsIn(this.#folders.run);
    for (const path of [sockets.qmp, sockets.vnc, sockets.agent, sockets.serial, sockets.pidFile])
      this.#ports.removeFile(path);
    this.#ports.writeJson(recordPath(this.#folders), { ...record, since: this.#ports.clock.wallMs() });
    const argv = incoming ? [...record.argv, '-incoming', 'defer', '-S'] : record.argv;
    const { id } = await this.#ports.spawn(program, argv, logPath(this.#folders));
    this.#feed({ kind: 'spawned', pid: id.pid, accelerator: record.accelerator });
    return id;
  }

  #launch(): LaunchInput {
    return { spec: this.#spec, folders: this.#folders, ports: this.#ports };
  }

  /** Waits for QMP as long as QEMU lives, then listens. Faults with QEMU's own last words. */
  async #connect(process: ProcessId, record: RunRecord): Promise<Live> {
    const path = socketsIn(this.#folders.run).qmp;
    const stream = await until(this.#ports.clock, QMP_UP, async () => {
      if (!this.#ports.isAlive(process)) throw new Fault(this.#qemuDied('QEMU ended while starting.'));
      return this.#ports.connect(path).catch(() => null);
    });
    if (stream === null) throw new Fault(this.#qemuDied('QEMU did not open its control socket in time.'));
    const qmp = await QmpSession.open(stream, this.#ports.clock);
    const residentKib = (): number | null => this.#ports.residentKib(process.pid);
    const guest = new Guest({ vmId: this.vmId, qmp, hasBalloon: record.hasBalloon, residentKib });
    const live: Live = { process, qmp, guest, record, isEndWanted: false };
    this.#live = live;
    qmp.onEvent((name, data) => this.#onEvent(live, name, data));
    qmp.onClose(() => void this.#onClose(live));
    await guest.startStatistics();
    return live;
  }

  async #undoStart(
    lease: Lease | null,
    process: ProcessId | null,
    cause: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const live = this.#live;
    if (live !== null) live.isEndWanted = true;
    this.#live = null;
    live?.qmp.close();
    if (process !== null) await this.#endQemu(process);
    if (lease !== null) this.#ports.memory.release(lease);
    else this.#ports.memory.detach(this.vmId, 'crashed');
    await closeExports(this.#launch());
    this.#ports.removeFile(recordPath(this.#folders));
    const isCancelled = signal.aborted;
    if (isCancelled && hasSavedMemory(this.#folders, this.#ports)) this.#feed({ kind: 'suspended' });
    else if (isCancelled) this.#feed({ kind: 'ended', error: null });
    else this.#feed({ kind: 'failed', error: bodyOf(cause) });
  }

  async #endQemu(process: ProcessId): Promise<void> {
    this.#ports.end(process, 'SIGKILL');
    await until(this.#ports.clock, GONE, () => (this.#ports.isAlive(process) ? null : true));
  }

  #qemuDied(what: string): ErrorBody {
    return qemuDied(what, this.#ports.readText(logPath(this.#folders)));
  }

  #onEvent(live: Live, name: string, data: Readonly<Record<string, unknown>>): void {
    const { memory } = this.#ports;
    switch (name) {
      case 'RESUME':
        this.#feed({ kind: 'running' });
        return memory.event(this.vmId, 'resumed');
      case 'STOP':
        if (this.#state.phase === 'running') this.#feed({ kind: 'paused', why: '' });
        return memory.event(this.vmId, 'paused');
      case 'VSERPORT_CHANGE':
        this.#feed({ kind: data.open === true ? 'guest-up' : 'guest-down' });
        return data.open === true ? memory.event(this.vmId, 'guest-up') : undefined;
      case 'RESET':
        this.#feed({ kind: 'guest-down' });
        return memory.event(this.vmId, 'reset');
      case 'BALLOON_CHANGE':
        return memory.event(this.vmId, 'balloon-changed');
      case 'SHUTDOWN':
        live.isEndWanted = true;
        return;
      case 'GUEST_PANICKED':
        return this.#feed({
          kind: 'paused',
          why: 'The guest system crashed. Reset it, or take a look at its screen first.',
        });
      case 'BLOCK_IO_ERROR':
        return this.#onDiskError(live, data);
    }
  }

  /** L5: paused by a disk error; goes on by itself when the cause is gone. */
  #onDiskError(live: Live, data: Readonly<Record<string, unknown>>): void {
    const why =
      data.nospace === true
        ? 'Paused: the disk is full. It goes on by itself when there is room; nothing is lost.'
        : 'Paused: its disk does not answer. It goes on by itself when it does; nothing is lost.';
    this.#feed({ kind: 'paused', why });
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    const { clock, storage, log } = this.#ports;
    void resumeWhenWell({
      clock,
      guest: live.guest,
      qmp: live.qmp,
      healthy: () => storage.healthy(),
      isWanted: () => this.#live === live && !this.#isDisposed,
      stillPaused: () => this.#feed({ kind: 'paused', why }),
      log: line => log(`vm ${this.vmId}: ${line}`),
    }).finally(() => {
      this.#isRecovering = false;
    });
  }

  /** QMP closed: QEMU is ending or gone, unless we let go of it. */
  async #onClose(live: Live): Promise<void> {
    if (this.#isDisposed || this.#live !== live) return;
    const isGone = await until(this.#ports.clock, GONE, () =>
      this.#ports.isAlive(live.process) ? null : true,
    );
    if (this.#live !== live || this.#isDisposed) return;
    this.#live = null;
    if (isGone === null) await this.#endQemu(live.process);
    const isSuspending = this.#state.phase === 'suspending' && hasSavedMemory(this.#folders, this.#ports);
    this.#ports.memory.detach(
      this.vmId,
      isSuspending ? 'suspended' : live.isEndWanted ? 'stopped' : 'crashed',
    );
    await closeExports(this.#launch());
    this.#ports.removeFile(recordPath(this.#folders));
    if (isSuspending) return this.#feed({ kind: 'suspended' });
    const died: ErrorBody = { ...this.#qemuDied('QEMU ended without being asked to.'), code: 'vm.died' };
    this.#feed({ kind: 'ended', error: live.isEndWanted ? null : died });
  }

  #current(): Live {
    if (this.#live !== null) return this.#live;
    throw new Fault(noQemu(this.#spec.name));
  }

  async stop(how: 'shutdown' | 'force', signal: AbortSignal, onStep: OnStep): Promise<void> {
    this.#require(how === 'force' ? 'force' : 'stop');
    if (how === 'force' && this.#live === null && !isLive(this.#state.phase)) {
      this.#ports.removeTree(`${this.#folders.home}/suspended`);
      return this.#feed({ kind: 'ended', error: null });
    }
    const live = this.#current();
    if (how === 'force') return this.#force(live, onStep);
    if (this.#state.phase === 'paused') await live.qmp.execute('cont');
    this.#feed({ kind: 'stop' });
    onStep('asking the guest to shut down');
    const { clock } = this.#ports;
    const deadlineMs = clock.monotonicMs() + SHUTDOWN_TIMEOUT_MS;
    await live.qmp.execute('system_powerdown');
    while (clock.monotonicMs() < deadlineMs && !signal.aborted) {
      const isOff = await until(clock, { timeoutMs: POWER_BUTTON_MS, stepMs: 50 }, () =>
        isLive(this.#state.phase) && !signal.aborted ? null : true,
      );
      if (isOff !== null && !signal.aborted) return;
      await live.qmp.execute('system_powerdown').catch(() => undefined);
    }
    const error = stillRuns(this.#spec.name, signal.aborted);
    this.#feed({ kind: 'stop-refused', error });
    throw new Fault(error);
  }

  async #force(live: Live, onStep: OnStep): Promise<void> {
    live.isEndWanted = true;
    // A suspend that has saved memory ends QEMU too, and stays a suspend.
    if (this.#state.phase !== 'suspending') this.#feed({ kind: 'stop' });
    onStep('ending QEMU');
    // An answer is not waited for: a QEMU that hangs is killed.
    live.qmp.execute('quit', undefined, QUIT_TIMEOUT_MS).catch(() => undefined);
    const isGone = await until(this.#ports.clock, { timeoutMs: QUIT_TIMEOUT_MS, stepMs: 20 }, () =>
      this.#ports.isAlive(live.process) ? null : true,
    );
    if (isGone === null) await this.#endQemu(live.process);
    await until(this.#ports.clock, GONE, () => (isLive(this.#state.phase) ? null : true));
  }

  async pause(): Promise<void> {
    this.#require('pause');
    await this.#current().qmp.execute('stop');
    this.#feed({ kind: 'paused', why: '' });
  }

  async resume(): Promise<void> {
    this.#require('resume');
    await this.#current().qmp.execute('cont');
    this.#feed({ kind: 'running' });
  }

  async reset(): Promise<void> {
    this.#require('reset');
    const live = this.#current();
    await live.qmp.execute('system_reset');
    // A machine stopped by a panic stays stopped through a reset.
    if (this.#state.phase === 'paused') await live.qmp.execute('cont');
  }

  async diskGrew(index: number, virtualBytes: number): Promise<void> {
    await resizeDisk(this.#current().qmp, this.#ports.clock, { index, virtualBytes });
  }

  async suspend(signal: AbortSignal, onStep: OnStep): Promise<void> {
    this.#require('suspend');
    const live = this.#current();
    this.#feed({ kind: 'suspend' });
    onStep('saving memory');
    try {
      const { qmp, record } = live;
      await saveMemory({ qmp, record, folders: this.#folders, ports: this.#ports, signal, onStep });
    } catch (cause) {
      const error = bodyOf(cause);
      this.#feed({ kind: 'suspend-failed', error });
      await live.qmp.execute('cont').catch(() => undefined);
      throw cause;
    }
    await this.#force(live, onStep);
  }

  async adopt(): Promise<boolean> {
    const parsed = runRecordSchema.safeParse(this.#ports.readJson(recordPath(this.#folders)));
    const pid = Number(this.#ports.readText(socketsIn(this.#folders.run).pidFile).trim());
    const process = this.#ports.processOf(pid);
    if (!parsed.success || !Number.isInteger(pid) || pid <= 0 || !this.#ports.isAlive(process)) {
      this.#ports.removeFile(recordPath(this.#folders));
      return false;
    }
    const record: RunRecord = parsed.data;
    this.#feed({ kind: 'start' });
    this.#feed({ kind: 'spawned', pid, accelerator: record.accelerator satisfies Accelerator });
    await openExports(this.#launch());
    const live = await this.#connect(process, record);
    this.#ports.memory.adopt(this.#spec, record.bootKib, live.guest);
    const { running } = await live.guest.status();
    this.#feed({ kind: 'running', ...(record.since === undefined ? {} : { since: record.since }) });
    if (!running) this.#feed({ kind: 'paused', why: '' });
    if ((await live.guest.sample()).driverReady) this.#feed({ kind: 'guest-up' });
    return true;
  }
}
