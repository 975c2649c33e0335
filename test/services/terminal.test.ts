// `ebb` as a person and a script use it, against real services: exit codes by real failures, tasks that are shown,
// streamed, left and interrupted, events, and completion in a real bash.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { VmId } from '../../shared/ids.ts';
import { Ebb, waitFor } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const CLI = join(import.meta.dirname, '../../electron/shells/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'ebb-term-'));
const bin = join(folder, 'bin');
const execute = promisify(execFile);

let ebb: Ebb;
/** Firmware without a system: it runs, and listens to nobody. */
let deaf: VmId;
let stopTask = '';
let other: VmId;
/** A VM whose QEMU hangs is asked to pause: Ebb waits ten seconds for it, and these tests do not. */
let unanswered: Run;

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  EBB_DATA: ebb.paths.dataFolder,
  PATH: `${bin}:${process.env.PATH}`,
});

interface Run {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly exit: Promise<number | null>;
}

function start(...args: string[]): Run {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    err += text.toString();
  });
  const exit = new Promise<number | null>(resolve => child.once('close', resolve));
  return { child, out: () => out, err: () => err, exit };
}

async function run(...args: string[]): Promise<{ exit: number | null; out: string; err: string }> {
  const started = start(...args);
  return { exit: await started.exit, out: started.out(), err: started.err() };
}

async function createEmpty(name: string): Promise<VmId> {
  const { exit, out } = await run('vm', 'create', name, '--empty', '--mem-max', '128M', '--json');
  expect(exit).toBe(0);
  return JSON.parse(out).spec.id;
}

beforeAll(async () => {
  mkdirSync(bin);
  ebb = await Ebb.start();
  const wrapper = join(bin, 'ebb');
  writeFileSync(wrapper, `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  chmodSync(wrapper, 0o755);
  deaf = await createEmpty('deaf');
  await createEmpty('my vm');
  other = await createEmpty('other');
  for (const vmId of [deaf, other]) await ebb.done((await ebb.call('vm.start', { vmId })).taskId);
  // Waits ninety seconds in vain: a task that goes on for as long as these tests do.
  const { out } = await run('vm', 'stop', 'deaf', '--no-wait');
  stopTask = out.trim();
});
afterAll(async () => {
  await ebb?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

// First: it lasts ninety seconds at most.
describe('a task that is followed', () => {
  it('is left by an interrupt, and goes on', async () => {
    expect(stopTask).toMatch(/^[0-9a-f-]{36}$/);
    const following = start('task', 'follow', stopTask.slice(0, 8));
    await waitFor('its first step', () => following.err() !== '');
    following.child.kill('SIGINT');
    expect(await following.exit).toBe(130);
    expect(following.err()).toContain('The task goes on.');
    const { out } = await run('task', 'list', '--json');
    const task = JSON.parse(out).find(({ id }: { id: string }) => id === stopTask);
    expect(task.state).toBe('running');
  });
});

it('a task asked to stop by an interrupt ends with 130, and what it was about is as it was', async () => {
  const stopping = start('vm', 'stop', 'other');
  await waitFor('the stop to be under way', async () => (await ebb.state(other)).phase === 'stopping');
  await waitFor('its first step', () => stopping.err() !== '');
  stopping.child.kill('SIGINT');
  expect(await stopping.exit, stopping.err()).toBe(130);
  expect(stopping.err()).toContain('Asking the task to stop');
  await waitFor('the VM to run on', async () => (await ebb.state(other)).phase === 'running');
  process.kill((await ebb.state(other)).pid ?? 0, 'SIGSTOP');
  unanswered = start('vm', 'pause', 'other');
});

describe('exit codes', () => {
  it.each([
    [0, 'vm list'],
    [0, 'version'],
    [1, 'vm create deaf --empty'],
    [2, 'vm lsit'],
    [2, 'vm list --force'],
    [3, 'vm show nobody'],
    [3, 'point delete deaf nothing'],
    [3, 'disk grow deaf 8G --disk ffffffff'],
    [3, 'task follow ffffffff'],
    [4, 'vm start deaf'],
    [5, 'vm create much --empty --mem-max 4000G'],
  ])('%i: ebb %s', async (code, line) => {
    const { exit, out, err } = await run(...line.split(' '), '--json');
    expect(exit, err).toBe(code);
    if (code === 0) expect(() => JSON.parse(out)).not.toThrow();
    else {
      expect(out).toBe('');
      const { error } = JSON.parse(err);
      for (const part of [error.what, error.todo]) expect(part.length).toBeGreaterThan(4);
    }
  });

  it('6: an image larger than the disk has room for', async () => {
    expect((await run('vm', 'create', 'large', '--empty', '--disk-size', '2000G')).exit).toBe(0);
    expect((await run('point', 'take', 'large', 'p')).exit).toBe(0);
    const to = join(folder, 'large.vhd');
    const { exit, err } = await run('point', 'export', 'large', 'p', '--format', 'vhd-fixed', '--to', to);
    expect(exit).toBe(6);
    expect(err).toContain('Nothing was written.');
  });

  it('8: a disk image that is not what it says', async () => {
    const image = join(folder, 'broken.vhd');
    const head = Buffer.alloc(4096, 7);
    head.write('conectix');
    writeFileSync(image, head);
    const { exit, err } = await run('vm', 'create', 'broken', '--disk', image, '--format', 'vhd');
    expect(exit, err).toBe(8);
  });

  it('77: more than the limit for everyone', async () => {
    expect((await run('mem', 'policy', '--cap', '256M')).exit).toBe(0);
    const { exit, err } = await run('mem', 'set', 'my vm', '--max', '512M');
    expect(exit).toBe(77);
    expect(err).toContain('Nothing was changed.');
    expect((await run('mem', 'policy', '--cap', 'none')).exit).toBe(0);
  });

  it('141: nobody reads what is written', async () => {
    const events = start('events');
    events.child.stdout?.destroy();
    expect(await events.exit).toBe(141);
  });
});

describe('a task', () => {
  it('is told in lines where there is no terminal, and its answer alone is on standard output', async () => {
    const { exit, out, err } = await run('vm', 'create', 'told', '--empty');
    expect([exit, out]).toEqual([0, 'Created told.\n']);
    expect(err).toContain('Create told: ');
    expect(err).not.toContain('\r');
    expect((await run('vm', 'delete', 'told', '--yes', '--quiet')).err).toBe('');
  });

  it('is streamed with --ndjson: its progress, and the answer last', async () => {
    const { exit, out } = await run('vm', 'create', 'streamed', '--empty', '--ndjson');
    expect(exit).toBe(0);
    const lines = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.slice(0, -1).every(({ progress }) => progress.title === 'Create streamed')).toBe(true);
    expect(lines.at(-1).result.spec.name).toBe('streamed');
  });
});

describe('ebb events', () => {
  it('are lines of JSON until interrupted, then 130', async () => {
    const events = start('events', 'vms', 'timeline', '--vm', 'my vm');
    const topics = (): string[] =>
      events
        .out()
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line).topic);
    await waitFor('the VMs', () => topics().includes('vms'));
    await run('point', 'take', 'my vm', 'seen');
    await waitFor('the timeline', () => topics().includes('timeline'));
    events.child.kill('SIGINT');
    expect(await events.exit).toBe(130);
  });
});

describe('completion', () => {
  const BASH = `
    source <(ebb completion bash)
    offer() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ebb; printf '%s\\n' "\${COMPREPLY[@]}"; echo --; }
  `;
  async function offered(...lines: string[]): Promise<string[][]> {
    const { stdout } = await execute('bash', ['-c', `${BASH}\n${lines.join('\n')}`], {
      env: environment(),
      cwd: folder,
    });
    const groups = stdout.split('--\n').slice(0, -1);
    return groups.map(group => group.split('\n').filter(Boolean).sort());
  }

  it('in bash: commands, options, choices, files, and names from the service that runs', async () => {
    const found = await offered(
      'offer ebb vm st',
      'offer ebb vm create x --mem-',
      "offer ebb vm create x --os ''",
      'offer ebb vm create x --os = w',
      'offer ebb vm create x --iso bi',
      "offer ebb vm start ''",
      'offer ebb vm start my',
      "offer ebb point pin 'my\\ vm' se",
    );
    expect(found).toEqual([
      ['start', 'stop'],
      ['--mem-max', '--mem-min'],
      ['bsd', 'linux', 'other', 'windows', 'windows-11'],
      ['windows', 'windows-11'],
      ['bin'],
      expect.arrayContaining(['deaf', 'my\\ vm']),
      ['my\\ vm'],
      ['seen'],
    ]);
  });

  it('starts no service', async () => {
    const env = { ...environment(), EBB_DATA: join(folder, 'nobody') };
    const { stdout } = await execute('ebb', ['__complete', '--', 'vm', 'start', ''], { env });
    expect(stdout).toBe('');
    await expect(execute('ls', [join(folder, 'nobody')])).rejects.toThrow();
  });
});

// Last: by now it was waited for.
it('exit code 7: a VM that does not answer in time', async () => {
  expect(await unanswered.exit).toBe(7);
  expect(unanswered.err()).toMatch(/did not answer stop within 10 s/);
  process.kill((await ebb.state(other)).pid ?? 0, 'SIGCONT');
  await ebb.stopVm(other);
});
