// What a control that died in the middle of saving, loading or taking left behind in a QEMU that runs on.
import { describe, expect, it } from 'vitest';
import { remedyOf } from '../../../../electron/control/vm/left-over.ts';
import { QemuSupervisor } from '../../../../electron/control/vm/supervisor.ts';
import type { VmPhase } from '../../../../shared/vm.ts';
import { FakeHost, FakeQmp } from '../../../support/fake-qemu.ts';
import { specOf, uuid } from '../../../support/memory-world.ts';

const FOLDERS = { home: '/home', run: '/run' };
const SAVED = '/home/suspended/record.json';
const NOTE = '/home/barrier.json';
const spec = { ...specOf(1), disks: [{ id: uuid(9), virtualBytes: 1 } as never] };

/** A QEMU in `status` whose control died; `files` are what it had noted. */
async function found(status: string, files: Readonly<Record<string, unknown>>) {
  const host = new FakeHost();
  const supervise = (): QemuSupervisor => new QemuSupervisor({ spec, folders: FOLDERS, ports: host.ports() });
  const first = supervise();
  await first.start(new AbortController().signal, () => undefined);
  first.dispose();
  for (const [path, value] of Object.entries(files))
    host.files.set(path, path === SAVED ? { ...host.record, ...(value as object) } : value);
  const qmp = new FakeQmp();
  let now = status;
  const usual = qmp.answer;
  qmp.answer = asked => {
    if (asked.execute === 'cont') now = 'running';
    return asked.execute === 'query-status' ? { status: now, running: now === 'running' } : usual(asked);
  };
  host.qmp = qmp;
  const next = supervise();
  const adopting = next.adopt();
  for (let second = 0; second < 8; second++) {
    await host.run(1_000);
    // Its socket goes with it.
    if (!host.isAlive) qmp.destroy();
  }
  await adopting;
  const asked = qmp.asked.map(({ execute }) => execute);
  return { host, phase: next.state().phase, asked, supervisor: next };
}

describe('L4: memory that was saved never meets disks of a later time', () => {
  it('all of it was saved when control died: the VM is suspended, and its QEMU ends', async () => {
    const { host, phase, asked } = await found('postmigrate', { [SAVED]: {} });
    expect(asked).not.toContain('cont');
    expect(host.isAlive).toBe(false);
    expect(phase).toBe('suspended');
    expect(host.files.has(SAVED)).toBe(true);
  });

  it('it was loaded, and the guest not told to go: still suspended', async () => {
    const { host, phase } = await found('paused', { [SAVED]: { isResuming: true } });
    expect(phase).toBe('suspended');
    expect(host.files.get(SAVED)).toMatchObject({ isResuming: false });
  });

  it('its guest runs on: what was saved is forgotten', async () => {
    const { host, phase } = await found('running', { [SAVED]: { isResuming: true } });
    expect(phase).toBe('running');
    expect(host.files.has(SAVED)).toBe(false);
  });

  it('a host that went down while it was being resumed does not resume it again', async () => {
    const { host, supervisor } = await found('running', {});
    host.isAlive = false;
    host.files.set(SAVED, { ...host.record, isResuming: true });
    expect(supervisor.savedRecord()).toBeNull();
  });
});

/** Control dies as soon as the guest is stopped to be suspended; the phase the next one finds it in. */
async function diedSuspending({ isPausedBefore = false }): Promise<FoundAfter> {
  const host = new FakeHost();
  const supervise = (): QemuSupervisor => new QemuSupervisor({ spec, folders: FOLDERS, ports: host.ports() });
  const first = supervise();
  let status = 'running';
  let diesAtStop = false;
  const connected = (): FakeQmp => {
    const qmp = new FakeQmp();
    const usual = qmp.answer;
    qmp.answer = asked => {
      if (asked.execute === 'cont') status = 'running';
      if (asked.execute === 'stop') status = 'paused';
      if (asked.execute === 'stop' && diesAtStop) first.dispose();
      return asked.execute === 'query-status' ? { status, running: status === 'running' } : usual(asked);
    };
    return qmp;
  };
  host.qmp = connected();
  await first.start(new AbortController().signal, () => undefined);
  if (isPausedBefore) await first.pause();
  diesAtStop = true;
  await expect(first.suspend(new AbortController().signal, () => undefined)).rejects.toThrow();
  host.qmp = connected();
  const next = supervise();
  const adopting = next.adopt();
  await host.run(8_000);
  await adopting;
  return { phase: next.state().phase, hasNote: host.files.has(NOTE) };
}
interface FoundAfter {
  readonly phase: VmPhase;
  readonly hasNote: boolean;
}

describe('a suspend control died over', () => {
  it('the guest that was stopped to be saved, and is not, goes on', async () => {
    expect(await diedSuspending({})).toEqual({ phase: 'running', hasNote: false });
  });

  it('one that its owner had paused stays so', async () => {
    expect(await diedSuspending({ isPausedBefore: true })).toEqual({ phase: 'paused', hasNote: false });
  });

  it('a note of a QEMU that is gone is not taken for one of the next', async () => {
    const host = new FakeHost();
    host.files.set(NOTE, { kind: 'memory', wasRunning: true });
    const ports = host.ports();
    const supervisor = new QemuSupervisor({ spec, folders: FOLDERS, ports });
    await supervisor.start(new AbortController().signal, () => undefined);
    expect(host.files.has(NOTE)).toBe(false);
  });
});

describe('a moment control died over', () => {
  it('the guest stopped for its memory goes on', async () => {
    for (const status of ['postmigrate', 'finish-migrate', 'paused']) {
      const { host, phase, asked } = await found(status, { [NOTE]: { kind: 'memory', wasRunning: true } });
      expect(asked).toContain('cont');
      expect(phase).toBe('running');
      expect(host.files.has(NOTE)).toBe(false);
    }
  });

  it('the guest frozen and standing still for its firmware’s variables goes on, to be thawed', async () => {
    const { phase, asked } = await found('paused', { [NOTE]: { kind: 'frozen', wasRunning: true } });
    expect(asked).toContain('cont');
    expect(phase).toBe('running');
  });

  it('one that its owner had paused stays so', () => {
    const note = { kind: 'memory', wasRunning: false } as const;
    expect(remedyOf({ status: 'paused', hasSavedMemory: false, note })).toBe('none');
  });

  it('a guest that may be frozen is thawed', () => {
    const note = { kind: 'frozen', wasRunning: true } as const;
    expect(remedyOf({ status: 'running', hasSavedMemory: false, note })).toBe('thaw');
  });
});
