// What a control that died in the middle of saving, loading or taking left behind in a QEMU that runs on.
import { describe, expect, it } from 'vitest';
import { remedyOf } from '../../../../electron/control/vm/left-over.ts';
import { QemuSupervisor } from '../../../../electron/control/vm/supervisor.ts';
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

describe('a moment control died over', () => {
  it('the guest stopped for its memory goes on', async () => {
    for (const status of ['postmigrate', 'finish-migrate', 'paused']) {
      const { host, phase, asked } = await found(status, { [NOTE]: { kind: 'memory', wasRunning: true } });
      expect(asked).toContain('cont');
      expect(phase).toBe('running');
      expect(host.files.has(NOTE)).toBe(false);
    }
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
