// The make-believe service behind fake-control.ts: the state it publishes, its tasks and screens.
import { connect, type Socket } from 'node:net';
import type { ErrorCode } from '../../shared/errors.ts';
import type { VmId } from '../../shared/ids.ts';
import { Fault } from '../../shared/result.ts';
import { contract } from '../../shared/rpc/contract.ts';
import { Topics } from '../../shared/rpc/topics.ts';
import type { Task } from '../../shared/task.ts';
import { type FakeVm, type FakeWorld, fakeWorld, hostOf, tick } from './fake-world.ts';

export const refuse = (code: ErrorCode, what: string, todo: string): never => {
  throw new Fault({ code, what, safe: 'Nothing was changed.', todo });
};

export class FakeControl {
  readonly topics = new Topics(contract);
  readonly world: FakeWorld;
  readonly #screens = new Map<string, Socket>();

  constructor(kind: string) {
    this.world = fakeWorld(kind, Date.now());
    this.publish();
  }

  publish(): void {
    this.topics.publish('vms', null, { vms: this.world.vms.map(vm => vm.summary) });
    this.topics.publish('host', null, hostOf(this.world));
    this.topics.publish('tasks', null, { tasks: this.world.tasks });
    for (const vm of this.world.vms) this.topics.publish('timeline', vm.summary.spec.id, vm.timeline);
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

  /** Work that takes a few steps, then `end`. */
  work(task: Task, end: () => void): { taskId: Task['id'] } {
    const steps = ['preparing', 'working', 'writing', 'finishing'];
    this.world.tasks = [...this.world.tasks, task].slice(-20);
    let step = 0;
    const set = (change: Partial<Task>): void => {
      this.world.tasks = this.world.tasks.map(other =>
        other.id === task.id ? { ...other, ...change } : other,
      );
      this.publish();
    };
    const timer = setInterval(() => {
      const state = this.world.tasks.find(other => other.id === task.id)?.state;
      if (step >= 12 || state !== 'running') {
        clearInterval(timer);
        if (state !== 'running') return;
        end();
        set({ state: 'done', progress: 1, endedAt: Date.now() });
      } else set({ step: steps[Math.floor(step / 3)] ?? '', progress: step / 12 });
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
