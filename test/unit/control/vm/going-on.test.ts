// L5: a guest that Ebb stopped, or its disk, goes on by itself, and never while its memory is saved.
import { beforeEach, describe, expect, it } from 'vitest';
import { QemuSupervisor } from '../../../../electron/control/vm/supervisor.ts';
import { FakeHost, FakeQmp } from '../../../support/fake-qemu.ts';
import { specOf, uuid } from '../../../support/memory-world.ts';

const NOTE = '/home/barrier.json';
const signal = new AbortController().signal;
const noStep = (): void => undefined;
const spec = { ...specOf(1), disks: [{ id: uuid(9), virtualBytes: 1 } as never] };

let host: FakeHost;
let qmp: FakeQmp;
let vm: QemuSupervisor;
/** What QEMU says of itself, and what it makes of a command; undefined: it answers. */
let isRunning: boolean;
let quirk: (command: string) => unknown;
let migration: string;
let isCancelled: boolean;

/** It says STOP and RESUME only where something changes. */
function turn(runs: boolean): object {
  if (isRunning === runs) return {};
  isRunning = runs;
  qmp.say({ event: runs ? 'RESUME' : 'STOP' });
  return {};
}
function answer(execute: string): unknown {
  switch (execute) {
    case 'stop':
      return turn(false);
    case 'cont':
      return turn(true);
    case 'query-status':
      return { status: isRunning ? 'running' : 'io-error', running: isRunning };
    case 'query-migrate':
      return { status: migration };
    default:
      return {};
  }
}
const asked = (command: string): number => qmp.asked.filter(({ execute }) => execute === command).length;
const times = (count: number, command: string, value: unknown) => {
  let left = count;
  return (execute: string): unknown => (execute === command && left-- > 0 ? value : null);
};

beforeEach(async () => {
  host = new FakeHost();
  isRunning = true;
  migration = 'active';
  isCancelled = false;
  quirk = () => null;
  qmp = host.qmp as FakeQmp;
  const well = qmp.answer;
  host.receive = () =>
    Promise.resolve({
      bytes: () => 0,
      done: Promise.resolve(),
      cancel: () => {
        isCancelled = true;
      },
    });
  vm = new QemuSupervisor({ spec, folders: { home: '/home', run: '/run' }, ports: host.ports() });
  await vm.start(signal, noStep);
  qmp.answer = one => {
    const odd = quirk(one.execute);
    if (odd !== null) return odd;
    return ['query-balloon', 'qom-get', 'x-query-virtio-status'].includes(one.execute)
      ? well(one)
      : answer(one.execute);
  };
});

const failing = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    () => 'failed',
  );

describe('a suspend that fails', () => {
  it('is tried to go on until it does; meanwhile it is said to stand still, and is noted for the next control', async () => {
    migration = 'failed';
    quirk = times(2, 'cont', new Error('busy'));
    const suspending = failing(vm.suspend(signal, noStep));
    await host.run(200);
    expect(await suspending).toBe('failed');
    expect(vm.state()).toMatchObject({ phase: 'paused', detail: expect.stringContaining('by itself') });
    expect(host.files.has(NOTE)).toBe(true);
    await host.run(5_000);
    expect(isRunning).toBe(true);
    expect(vm.state().phase).toBe('running');
    expect(host.files.has(NOTE)).toBe(false);
    const conts = asked('cont');
    await host.run(20_000);
    expect(asked('cont')).toBe(conts);
  });

  it('ends the saving where QEMU was not heard of in time', async () => {
    quirk = times(1, 'query-migrate', undefined);
    const suspending = failing(vm.suspend(signal, noStep));
    await host.run(11_000);
    expect(await suspending).toBe('failed');
    expect(asked('migrate_cancel')).toBe(1);
    expect(isCancelled).toBe(true);
    expect(vm.state().phase).toBe('running');
  });

  it('of one that its owner had paused leaves it so, whatever `cont` said', async () => {
    await vm.pause();
    migration = 'failed';
    quirk = times(1, 'cont', new Error('busy'));
    const suspending = failing(vm.suspend(signal, noStep));
    await host.run(20_000);
    expect(await suspending).toBe('failed');
    expect(vm.state().phase).toBe('paused');
    expect(isRunning).toBe(false);
  });
});

describe('a point with memory', () => {
  const take = (): Promise<unknown> =>
    vm.take({ memoryPath: '/home/m', signal, onStep: noStep }, () => Promise.resolve(7));

  it('of a guest that does not go on at once: taken, and the guest goes on later', async () => {
    migration = 'completed';
    isRunning = false;
    quirk = times(1, 'cont', new Error('busy'));
    expect(await take()).toMatchObject({ value: 7, consistency: 'memory' });
    expect(vm.state().phase).toBe('paused');
    await host.run(2_000);
    expect(vm.state().phase).toBe('running');
    expect(host.files.has(NOTE)).toBe(false);
  });

  it('leaves one that is paused paused', async () => {
    await vm.pause();
    migration = 'completed';
    await take();
    expect(isRunning).toBe(false);
    expect(vm.state().phase).toBe('paused');
  });
});

describe('L4: a point of a VM whose firmware keeps variables', () => {
  const kept = { ...spec, firmware: 'uefi' } as const;
  const seen: unknown[] = [];
  const take = (): Promise<unknown> =>
    vm.take(null, async () => {
      seen.push([isRunning, host.files.has(NOTE), vm.state().phase]);
      return 7;
    });
  beforeEach(() => {
    seen.length = 0;
    vm.setSpec(kept);
  });

  it('is taken while it stands still, which nobody is told of, and it goes on', async () => {
    expect(await take()).toMatchObject({ value: 7, consistency: 'crash' });
    expect(seen).toEqual([[false, true, 'running']]);
    expect([isRunning, host.files.has(NOTE), vm.state().phase]).toEqual([true, false, 'running']);
  });

  it('goes on later where it does not at once, and of another that has none it is not stopped', async () => {
    quirk = times(1, 'cont', new Error('busy'));
    await take();
    expect(vm.state().phase).toBe('paused');
    await host.run(2_000);
    expect([isRunning, host.files.has(NOTE), vm.state().phase]).toEqual([true, false, 'running']);
    vm.setSpec(spec);
    await take();
    expect(seen[1]).toEqual([true, false, 'running']);
  });
});

const diskFails = (): void => {
  qmp.say({ event: 'BLOCK_IO_ERROR', data: { nospace: true } });
  turn(false);
};
const shown = (): unknown[] => [isRunning, vm.state().phase, vm.state().detail, host.files.has(NOTE)];
const RUNS = [true, 'running', '', false];

describe('a guest paused by its disk', () => {
  it('is left alone while its memory is saved, and goes on where that fails', async () => {
    diskFails();
    expect(vm.state()).toMatchObject({ phase: 'paused', detail: expect.stringContaining('full') });
    const before = asked('cont');
    const suspending = failing(vm.suspend(signal, noStep));
    await host.run(10_000);
    expect(asked('cont')).toBe(before);
    migration = 'failed';
    await host.run(100);
    expect(await suspending).toBe('failed');
    expect(vm.state().phase).toBe('running');
  });

  it('paused by its owner after it went on stays paused', async () => {
    diskFails();
    await vm.resume();
    await vm.pause();
    await host.run(20_000);
    expect(isRunning).toBe(false);
    expect(vm.state()).toMatchObject({ phase: 'paused', detail: '' });
  });

  it('goes on, and is shown so, though it was asked meanwhile to shut down and did not listen', async () => {
    let isFull = true;
    quirk = command => {
      if (command === 'cont' && isFull) host.clock.after(10, diskFails);
      return null;
    };
    diskFails();
    const stopping = failing(vm.stop('shutdown', signal, noStep));
    await host.run(120_000);
    expect(await stopping).toBe('failed');
    expect(vm.state()).toMatchObject({ phase: 'paused', detail: expect.stringContaining('full') });
    isFull = false;
    await host.run(20_000);
    expect(shown()).toEqual(RUNS);
  });

  it('while it is started goes on when it is', async () => {
    host = new FakeHost();
    qmp = host.qmp as FakeQmp;
    const well = qmp.answer;
    qmp.answer = one => {
      if (one.execute === 'qom-set') diskFails();
      return one.execute === 'cont' || one.execute === 'query-status' ? answer(one.execute) : well(one);
    };
    vm = new QemuSupervisor({ spec, folders: { home: '/home', run: '/run' }, ports: host.ports() });
    await vm.start(signal, noStep);
    expect(isRunning).toBe(false);
    await host.run(20_000);
    expect(shown()).toEqual(RUNS);
  });

  it('while its memory is saved with a point goes on after it, and is shown so', async () => {
    const taking = failing(vm.take({ memoryPath: '/home/m', signal, onStep: noStep }, async () => 7));
    await host.run(200);
    diskFails();
    migration = 'failed';
    await host.run(200);
    expect(await taking).toBe('failed');
    await host.run(20_000);
    expect(shown()).toEqual(RUNS);
  });

  it('goes on under the next control, which says why it stands still', async () => {
    diskFails();
    vm.dispose();
    let isFull = true;
    qmp = new FakeQmp();
    host.qmp = qmp;
    const well = qmp.answer;
    qmp.answer = one => {
      if (one.execute === 'query-block') return [{ device: '' }, { device: 'd', 'io-status': 'nospace' }];
      if (one.execute === 'cont' && isFull) return new Error('no room');
      return one.execute === 'cont' || one.execute === 'query-status' ? answer(one.execute) : well(one);
    };
    vm = new QemuSupervisor({ spec, folders: { home: '/home', run: '/run' }, ports: host.ports() });
    const adopting = vm.adopt();
    await host.run(5_000);
    await adopting;
    expect(vm.state()).toMatchObject({ phase: 'paused', detail: expect.stringContaining('full') });
    isFull = false;
    await host.run(20_000);
    expect(shown()).toEqual(RUNS);
  });
});

describe('what its owner does while a point is taken', () => {
  const PAUSED = [false, 'paused', '', false];
  let over: () => void;
  const take = (memoryPath: string | null): Promise<unknown> => {
    const held = new Promise<void>(resolve => {
      over = resolve;
    });
    const memory = memoryPath === null ? null : { memoryPath, signal, onStep: noStep };
    return failing(vm.take(memory, () => held));
  };
  beforeEach(() => {
    vm.setSpec({ ...spec, firmware: 'uefi' });
    migration = 'completed';
  });

  it('paused, it is so after it, with memory and without, and for the next control', async () => {
    for (const memoryPath of [null, '/home/m']) {
      const taking = take(memoryPath);
      await host.run(200);
      await vm.pause();
      expect(host.files.get(NOTE)).toMatchObject({ wasRunning: false });
      over();
      await host.run(20_000);
      expect(await taking).toBe('done');
      expect(shown()).toEqual(PAUSED);
      await vm.resume();
    }
  });

  it('L4: resumed, or reset, it goes on after it and not before', async () => {
    for (const act of [() => vm.resume(), () => vm.reset()]) {
      await vm.pause();
      const taking = take('/home/m');
      await host.run(200);
      const conts = asked('cont');
      await act();
      expect([asked('cont') - conts, isRunning]).toEqual([0, false]);
      expect(host.files.get(NOTE)).toMatchObject({ wasRunning: true });
      over();
      await host.run(1_000);
      expect(await taking).toBe('done');
      expect(shown()).toEqual(RUNS);
    }
  });

  it('its QEMU gone in the middle of it, nothing of it is noted any more', async () => {
    const taking = take(null);
    await host.run(200);
    expect(host.files.has(NOTE)).toBe(true);
    host.isAlive = false;
    qmp.destroy();
    await host.run(2_000);
    over();
    await host.run(2_000);
    expect(await taking).toBe('done');
    expect([vm.state().phase, host.files.has(NOTE)]).toEqual(['failed', false]);
  });
});
