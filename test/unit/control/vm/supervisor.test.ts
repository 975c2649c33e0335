// M9, M2: a QEMU that runs is counted, whatever else does not work.
import { beforeEach, describe, expect, it } from 'vitest';
import { QemuSupervisor } from '../../../../electron/control/vm/supervisor.ts';
import { Fault } from '../../../../shared/result.ts';
import { FakeHost, FakeQmp } from '../../../support/fake-qemu.ts';
import { GIB, specOf, uuid } from '../../../support/memory-world.ts';

const FOLDERS = { home: '/home', run: '/run' };
const DISK = { id: uuid(9), virtualBytes: 1 } as never;
const spec = { ...specOf(1), disks: [DISK] };
const noStep = (): void => undefined;

let host: FakeHost;
const supervise = (): QemuSupervisor => new QemuSupervisor({ spec, folders: FOLDERS, ports: host.ports() });
const start = async (): Promise<QemuSupervisor> => {
  const supervisor = supervise();
  await supervisor.start(new AbortController().signal, noStep);
  return supervisor;
};
const counted = (): number | undefined => host.memory.counted.get(spec.id)?.bootKib;
/** The control before this one died; its sockets went with it. */
function died(supervisor: QemuSupervisor): void {
  supervisor.dispose();
  host.memory.counted.clear();
  host.memory.leases.clear();
  host.qmp = new FakeQmp();
}

beforeEach(() => {
  host = new FakeHost();
});

describe('a QEMU that outlived its control', () => {
  it('is taken over', async () => {
    died(await start());
    const next = supervise();
    expect(await next.adopt()).toBe(true);
    expect(next.state()).toMatchObject({ phase: 'running', pid: 77 });
    await expect(host.memory.counted.get(spec.id)?.guest.sample()).resolves.toMatchObject({ actualKib: GIB });
  });

  it('counts as all it was started with where its disks do not open, and is tried again', async () => {
    died(await start());
    host.opensExports = false;
    const next = supervise();
    expect(await next.adopt()).toBe(true);
    expect(counted()).toBe(spec.maxKib);
    expect(next.state().phase).toBe('starting');
    await host.run(11_000);
    expect(counted()).toBe(spec.maxKib);
    host.opensExports = true;
    await host.run(6_000);
    expect(next.state().phase).toBe('running');
    await expect(host.memory.counted.get(spec.id)?.guest.sample()).resolves.toMatchObject({ actualKib: GIB });
  });

  it('counts where its control socket never greets, until it ends', async () => {
    died(await start());
    const mute = new FakeQmp();
    mute.greets = false;
    host.qmp = mute;
    const next = supervise();
    const adopting = next.adopt();
    await host.run(5_000);
    expect(counted()).toBe(spec.maxKib);
    await host.run(10_000);
    expect(await adopting).toBe(true);
    expect(counted()).toBe(spec.maxKib);
    host.isAlive = false;
    await host.run(20_000);
    expect(counted()).toBeUndefined();
    expect(host.record).toBeUndefined();
    expect(next.state()).toMatchObject({ phase: 'failed', error: { code: 'vm.died' } });
  });

  it('can be forced off though it cannot be reached', async () => {
    died(await start());
    host.opensExports = false;
    const next = supervise();
    await next.adopt();
    const stopping = next.stop('force', new AbortController().signal, noStep);
    await host.run(11_000);
    await stopping;
    expect(host.isAlive).toBe(false);
    expect(counted()).toBeUndefined();
  });

  it('is found by what was noted when it was spawned, before it wrote its pid', async () => {
    const supervisor = await start();
    expect(host.record?.process).toEqual({ pid: 77, started: '1' });
    died(supervisor);
    expect(host.files.has('/run/pid')).toBe(false);
    expect(await supervise().adopt()).toBe(true);
  });

  it('is waited for where its control died before it noted what it spawned', async () => {
    let copy: unknown;
    host.onSpawn = () => {
      copy = host.record;
    };
    died(await start());
    expect(copy).not.toHaveProperty('process');
    host.files.set('/home/run.json', copy);
    const adopting = supervise().adopt();
    await host.run(1_000);
    expect(host.record).toBeDefined();
    host.files.set('/run/pid', '77\n');
    await host.run(1_000);
    expect(await adopting).toBe(true);
    expect(counted()).toBe(spec.maxKib);
  });

  it('is not looked for where the process noted has ended, whoever has its pid now', async () => {
    died(await start());
    host.files.set('/home/run.json', { ...host.record, process: { pid: 77, started: '0' } });
    host.files.set('/run/pid', '77\n');
    expect(await supervise().adopt()).toBe(false);
    expect(host.record).toBeUndefined();
  });

  it('T17: leaves no disk served where its control died with them open, and no QEMU noted', async () => {
    died(await start());
    host.files.delete('/home/run.json');
    expect(host.served.size).toBe(1);
    expect(await supervise().adopt()).toBe(false);
    expect(host.served.size).toBe(0);
  });
});

describe('a QEMU that the kernel cannot end', () => {
  it('keeps its memory until it is gone', async () => {
    const supervisor = await start();
    host.isKillable = false;
    const stopping = supervisor.stop('force', new AbortController().signal, noStep);
    host.qmp?.destroy();
    await host.run(60_000);
    expect(counted()).toBe(spec.maxKib);
    host.isAlive = false;
    await host.run(1_000);
    await stopping;
    expect(counted()).toBeUndefined();
  });

  it('stays counted while a start is undone', async () => {
    host.isKillable = false;
    host.qmp = new FakeQmp();
    host.qmp.answer = ({ execute }) => (execute === 'qom-set' ? undefined : {});
    const supervisor = supervise();
    const starting = supervisor.start(new AbortController().signal, noStep).catch(() => 'failed');
    await host.run(40_000);
    expect(counted()).toBe(spec.maxKib);
    host.isAlive = false;
    await host.run(1_000);
    expect(await starting).toBe('failed');
    expect(counted()).toBeUndefined();
    expect(host.memory.leases.size).toBe(0);
  });
});

describe('a start whose parts are not there', () => {
  const codeOf = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'done',
      (cause: unknown) => (cause instanceof Fault ? cause.body : cause),
    );

  it('ends when storage does not open the disks in its time, with nothing leased', async () => {
    host.opensExports = 'never';
    const supervisor = supervise();
    const failed = codeOf(supervisor.start(new AbortController().signal, noStep));
    await host.run(59_000);
    expect(supervisor.state()).toMatchObject({ phase: 'starting', detail: 'opening the disks' });
    await host.run(2_000);
    expect(await failed).toMatchObject({
      code: 'vm.timeout',
      what: expect.stringContaining('Opening the disks'),
    });
    expect(supervisor.state().phase).toBe('failed');
    expect(host.memory.leases.size).toBe(0);
  });

  it('says what brings a firmware or a TPM that this computer has not, and spawns nothing', async () => {
    let spawned = 0;
    host.onSpawn = () => {
      spawned += 1;
    };
    for (const change of [{ firmware: 'uefi' }, { hasTpm: true }] as const) {
      const supervisor = new QemuSupervisor({
        spec: { ...spec, ...change },
        folders: FOLDERS,
        ports: host.ports(),
      });
      const body = await codeOf(supervisor.start(new AbortController().signal, noStep));
      expect(body).toMatchObject({
        code: 'host.unsupported',
        todo: expect.stringContaining('apt-get install'),
      });
    }
    expect(spawned).toBe(0);
  });

  it('L4: variables are copied from the template once, and stay the VM’s own', async () => {
    host.firmware.set('uefi', { code: '/code', vars: '/template' });
    host.files.set('/template', 'empty');
    const own = { ...spec, firmware: 'uefi' as const };
    const of = (): QemuSupervisor => new QemuSupervisor({ spec: own, folders: FOLDERS, ports: host.ports() });
    await of().start(new AbortController().signal, noStep);
    expect(host.files.get('/home/uefi-vars.fd')).toBe('empty');
    host.files.set('/home/uefi-vars.fd', 'boots from disk 1');
    await of().start(new AbortController().signal, noStep);
    expect(host.files.get('/home/uefi-vars.fd')).toBe('boots from disk 1');
    expect(host.record?.argv.join(' ')).toContain('filename=/home/uefi-vars.fd');
  });
});
