// A cap on processors: from the first instruction on, changed while it runs, found again, and never in the way of a start.
import { beforeEach, describe, expect, it } from 'vitest';
import { CpuCaps } from '../../../../electron/control/vm/cpu-cap.ts';
import { QemuSupervisor } from '../../../../electron/control/vm/supervisor.ts';
import { vmGroups } from '../../../../electron/platform/vm-groups.ts';
import { FakeCgroups } from '../../../support/fake-cgroups.ts';
import { FakeHost, FakeQmp } from '../../../support/fake-qemu.ts';
import { specOf, uuid } from '../../../support/memory-world.ts';

const SCOPE = '/ebb.scope';
const [EBB, QEMU] = [10, 77];
const vmId = uuid(1);
const capsOver = (files: FakeCgroups, logged: string[] = []): CpuCaps =>
  new CpuCaps(vmGroups({ files, root: FakeCgroups.ROOT, own: [EBB], processors: 2 }), line =>
    logged.push(line),
  );
const max = (files: FakeCgroups): string | undefined => files.cpu(`${SCOPE}/ebb-vm-${vmId}`);

describe('a cap on processors', () => {
  it('is written once for each change, and again by a control that found the VM running', () => {
    const files = new FakeCgroups(SCOPE, [EBB]);
    const caps = capsOver(files);
    caps.require();
    for (const percent of [50, 50, 25, 25]) caps.set(vmId, QEMU, percent);
    expect(files.written.filter(line => line.includes('cpu.max'))).toHaveLength(2);
    expect(max(files)).toBe('50000 100000');
    capsOver(files).set(vmId, QEMU, null);
    expect(max(files)).toBe('max 100000');
    caps.ended(QEMU);
    caps.set(vmId, QEMU, 25);
    expect(max(files)).toBe('50000 100000');
  });

  it('that an earlier control set is changed and lifted by one whose own group may not be divided', () => {
    const files = new FakeCgroups(SCOPE, [EBB]);
    capsOver(files).set(vmId, QEMU, 50);
    files.groups.set('/terminal.scope', { procs: new Set([30, 31]), subtree: '', high: 'max', cpu: '' });
    const groups = vmGroups({ files, root: FakeCgroups.ROOT, own: [30], processors: 2 });
    const later = new CpuCaps(groups, line => expect.unreachable(line));
    expect(later.hold.isHeld).toBe(false);
    later.set(vmId, QEMU, 25);
    expect(max(files)).toBe('50000 100000');
    later.set(vmId, QEMU, null);
    expect(max(files)).toBe('max 100000');
  });

  it('where only memory is divided, no cap is nothing to tell of, and a cap that is not held is told', () => {
    const [files, logged] = [new FakeCgroups(SCOPE, [EBB], 'memory'), [] as string[]];
    const caps = capsOver(files, logged);
    caps.set(vmId, QEMU, null);
    expect(logged).toEqual([]);
    caps.set(vmId, QEMU, 50);
    expect(logged.join()).toContain('is not limited');
  });

  it('that cannot be held is refused when it is asked for, with what to do, and keeps nothing from running', () => {
    const files = new FakeCgroups(SCOPE, [EBB, 99]);
    const caps = capsOver(files);
    expect(() => caps.require()).toThrow(/cannot be held/);
    caps.set(vmId, QEMU, 50);
    expect(files.written).toEqual([]);
    const [logged, broken] = [[] as string[], new FakeCgroups(SCOPE, [EBB])];
    const failing = capsOver(broken, logged);
    broken.isReadOnly = true;
    failing.set(vmId, QEMU, 50);
    expect(logged.join()).toContain('is not limited');
  });
});

describe('a VM with a cap', () => {
  const spec = { ...specOf(1), cpuCapPercent: 40 };
  const folders = { home: '/home', run: '/run' };
  let host: FakeHost;
  let vm: QemuSupervisor;
  const made = (): QemuSupervisor => new QemuSupervisor({ spec, folders, ports: host.ports() });
  beforeEach(async () => {
    host = new FakeHost();
    vm = made();
    vm.setSpec(spec);
    await vm.start(new AbortController().signal, () => undefined);
  });

  it('is capped as soon as it is spawned, at every change, and forgotten when it ends', async () => {
    expect(host.cpuCaps).toEqual([[QEMU, 40]]);
    vm.setSpec({ ...spec, cpuCapPercent: null });
    const stopping = vm.stop('force', new AbortController().signal, () => undefined);
    host.qmp?.destroy();
    await host.run(8_000);
    await stopping;
    expect(host.cpuCaps).toEqual([
      [QEMU, 40],
      [QEMU, null],
      [QEMU, 'ended'],
    ]);
  });

  it('is capped again by the control that finds it', async () => {
    vm.dispose();
    host.qmp = new FakeQmp();
    await made().adopt();
    expect(host.cpuCaps.at(-1)).toEqual([QEMU, 40]);
  });
});
