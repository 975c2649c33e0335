// The make-believe service behind fake-control.ts: the state it publishes, its tasks and screens.
import { connect, type Socket } from 'node:net';
import Database from 'better-sqlite3';
import type { HistoryDesk } from '../../electron/control/history/desk.ts';
import { RangeDesk } from '../../electron/control/memory/range-desk.ts';
import { openRangeStore } from '../../electron/control/memory/range-store.ts';
import { systemClock } from '../../electron/platform/clock.ts';
import type { ErrorBody, ErrorCode } from '../../shared/errors.ts';
import type { VmId } from '../../shared/ids.ts';
import type { FreePreview, MemoryRange } from '../../shared/memory.ts';
import { Fault } from '../../shared/result.ts';
import { contract } from '../../shared/rpc/contract.ts';
import { Topics } from '../../shared/rpc/topics.ts';
import type { Task } from '../../shared/task.ts';
import { amountText, GIB_KIB } from '../../shared/units.ts';
import { fakeHistoryDesk } from './fake-automatic.ts';
import { anyWorld } from './fake-crowd.ts';
import { fakePolicy } from './fake-policy.ts';
import { type FakeVm, type FakeWorld, hostOf, tick } from './fake-world.ts';

export const refuse = (code: ErrorCode, what: string, todo: string, data?: ErrorBody['data']): never => {
  throw new Fault({
    code,
    what,
    safe: 'Nothing was changed.',
    todo,
    ...(data === undefined ? {} : { data }),
  });
};

const FAKE_STEP_BYTES = 150 * 2 ** 20;

export class FakeControl {
  readonly topics = new Topics(contract);
  readonly world: FakeWorld;
  readonly #screens = new Map<string, Socket>();
  /** What VMs gave for somebody: theirs again when that ends. */
  #given: FreePreview['changes'] = [];

  /** The real one, over a store in memory. */
  readonly ranges = new RangeDesk({
    clock: systemClock,
    store: openRangeStore(new Database(':memory:'), () => undefined),
    specOf: vmId => this.vm(vmId).summary.spec,
    setRange: (vmId, range) => this.#setRange(vmId, range),
    tell: () => undefined,
    changed: () => this.topics.publish('ranges', null, this.ranges.all()),
    log: line => console.error(line),
  });

  readonly histories: HistoryDesk;
  readonly policy;

  constructor(kind: string) {
    this.policy = fakePolicy(kind);
    this.world = anyWorld(kind, Date.now());
    this.ranges.begin();
    this.histories = fakeHistoryDesk(this);
    this.histories.begin();
    this.publish();
  }

  publish(): void {
    this.topics.publish('vms', null, { vms: this.world.vms.map(vm => vm.summary) });
    this.topics.publish('host', null, hostOf(this.world));
    this.topics.publish('policy', null, this.policy);
    this.topics.publish('tasks', null, { tasks: this.world.tasks });
    for (const vm of this.world.vms)
      if (!vm.isLost) this.topics.publish('timeline', vm.summary.spec.id, vm.timeline);
  }

  tick(ms: number): void {
    const changed = tick(this.world, ms);
    this.topics.publish('host', null, hostOf(this.world));
    for (const vmId of changed) this.topics.publish('timeline', vmId, this.vm(vmId).timeline);
  }

  vm(vmId: VmId): FakeVm {
    return (
      this.world.vms.find(vm => vm.summary.spec.id === vmId) ??
      refuse('vm.not-found', 'There is no such VM.', 'Reload the list.')
    );
  }

  #setRange(vmId: VmId, range: MemoryRange): void {
    const vm = this.vm(vmId);
    const { minKib, maxKib } = range;
    const { budgetKib } = hostOf(this.world);
    if (minKib > maxKib) refuse('memory.bad-range', 'The minimum is above the maximum.', 'Lower it.');
    if (maxKib > budgetKib)
      refuse(
        'memory.over-host',
        `A maximum of ${maxKib / GIB_KIB} GiB was asked for; VMs may use ${budgetKib / GIB_KIB} GiB in all.`,
        'Choose a smaller maximum.',
      );
    const { targetKib } = vm.memory;
    vm.memory = {
      ...vm.memory,
      ...range,
      targetKib: targetKib === null ? null : Math.min(maxKib, Math.max(minKib, targetKib)),
    };
    vm.summary = { ...vm.summary, spec: { ...vm.summary.spec, ...range } };
    this.publish();
  }

  /** Takes from whoever has most above its minimum. */
  free(kib: number, seconds: number): FreePreview {
    for (const { vmId, fromKib } of this.#given) {
      const vm = this.vm(vmId);
      vm.memory = { ...vm.memory, targetKib: fromKib };
    }
    const { availableKib } = hostOf(this.world);
    const missingKib = kib === 0 ? 0 : Math.max(0, kib - availableKib);
    let leftKib = missingKib;
    const changes: FreePreview['changes'] = [];
    for (const vm of this.world.vms) {
      const { actualKib, minKib } = vm.memory;
      const givesKib = Math.min(leftKib, Math.max(0, (actualKib ?? 0) - minKib));
      if (actualKib === null || givesKib === 0) continue;
      leftKib -= givesKib;
      const toKib = actualKib - givesKib;
      changes.push({ vmId: vm.memory.vmId, vmName: vm.summary.spec.name, fromKib: actualKib, toKib });
      vm.memory = { ...vm.memory, targetKib: toKib };
    }
    this.#given = changes;
    const freeableKib = missingKib - leftKib;
    this.world.kept =
      kib === 0
        ? null
        : { kib: Math.min(kib, availableKib + freeableKib), until: Date.now() + seconds * 1000 };
    this.publish();
    const list = changes
      .map(({ vmName, fromKib, toKib }) => `${vmName} ${amountText(fromKib)} → ${amountText(toKib)}`)
      .join(', ');
    const sentence =
      missingKib === 0
        ? `This computer has ${amountText(availableKib)} free: nothing needs to be given back.`
        : leftKib === 0
          ? `VMs give back ${amountText(missingKib)}. ${list}.`
          : `VMs can give back ${amountText(freeableKib)} of the ${amountText(missingKib)} that are missing: then all that can move are at their minimum. ${list}.`;
    return { isEnough: leftKib === 0, freeableKib, sentence, changes };
  }

  change(id: Task['id'], change: Partial<Task>): void {
    this.world.tasks = this.world.tasks.map(other => (other.id === id ? { ...other, ...change } : other));
    this.publish();
  }

  /** Work that takes a few steps, then `end`. */
  work(task: Task, end: () => void): { taskId: Task['id'] } {
    const steps = ['preparing', 'working', 'writing', 'finishing'];
    this.world.tasks = [...this.world.tasks, task].slice(-20);
    let step = 0;
    const set = (change: Partial<Task>): void => this.change(task.id, change);
    const timer = setInterval(() => {
      const { state, isPaused, canPause } = this.world.tasks.find(other => other.id === task.id) ?? task;
      if (isPaused && state === 'running') return;
      if (step >= 12 || state !== 'running') {
        clearInterval(timer);
        if (state !== 'running') return;
        end();
        set({ state: 'done', progress: 1, endedAt: Date.now() });
      } else {
        const bytes = canPause ? { bytesDone: step * FAKE_STEP_BYTES, bytesTotal: 12 * FAKE_STEP_BYTES } : {};
        set({ step: steps[Math.floor(step / 3)] ?? '', progress: step / 12, ...bytes });
      }
      step += 1;
    }, 250);
    this.publish();
    return { taskId: task.id };
  }

  setPhase(vmId: VmId, phase: FakeVm['summary']['state']['phase']): void {
    const vm = this.vm(vmId);
    const on = phase === 'running' || phase === 'paused';
    vm.summary = {
      ...vm.summary,
      state: {
        ...vm.summary.state,
        phase,
        since: Date.now(),
        pid: on ? 4242 : null,
        accelerator: on ? 'kvm' : null,
        error: null,
        guestUp: on,
        coming: null,
        detail: '',
      },
    };
    const kib = on ? (vm.memory.actualKib ?? vm.memory.maxKib) : null;
    vm.memory = {
      ...vm.memory,
      actualKib: kib,
      targetKib: kib,
      bootKib: on ? vm.memory.maxKib : null,
      usedKib: kib === null ? null : Math.round(kib * 0.6),
      balloon: on ? 'obeying' : 'off',
    };
    this.publish();
  }

  openScreen(vmId: VmId, emit: (base64: string, end: boolean) => void): void {
    const path = process.env.EBB_FAKE_VNC;
    if (path === undefined)
      return refuse('vm.wrong-state', 'This make-believe VM has no screen.', 'Set EBB_FAKE_VNC.');
    const socket = connect(path);
    this.#screens.set(vmId, socket);
    socket.on('data', bytes => emit(bytes.toString('base64'), false));
    socket.on('close', () => emit('', true));
    socket.on('error', () => emit('', true));
  }

  sendScreen(vmId: VmId, base64: string): void {
    this.#screens.get(vmId)?.write(Buffer.from(base64, 'base64'));
  }

  closeScreen(vmId: VmId): void {
    this.#screens.get(vmId)?.destroy();
    this.#screens.delete(vmId);
  }
}
