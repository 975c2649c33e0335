// A real guest's serial line: a shell in it is typed into by two viewers at once and by `ebb vm serial`, and what it prints
// to command a terminal does not arrive.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { repositoryRoot } from '../../build/layers.ts';
import { connectUnix } from '../../electron/transport/unix-socket.ts';
import type { VmId } from '../../shared/ids.ts';
import { type Client, connectClient } from '../../shared/rpc/client.ts';
import { type Contract, contract } from '../../shared/rpc/contract.ts';
import { type Agent, Ebb, waitFor } from '../support/ebb.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const CLI = join(repositoryRoot, 'electron/shells/cli/main.ts');
let ebb: Ebb;
let vmId: VmId;
let agent: Agent;

interface Viewer {
  readonly client: Client<Contract>;
  readonly heard: () => string;
  readonly hasEnded: () => boolean;
  readonly type: (text: string) => Promise<unknown>;
}
async function looking(): Promise<Viewer> {
  const client = connectClient(contract, await connectUnix(ebb.paths.controlSocket));
  await client.ready;
  let [heard, hasEnded] = ['', false];
  client.subscribe('serial', vmId, ({ base64, end }) => {
    heard += Buffer.from(base64, 'base64').toString();
    hasEnded ||= end;
  });
  await client.call('console.open', { vmId, of: 'serial' });
  const type = (text: string): Promise<unknown> =>
    client.call('console.send', { vmId, of: 'serial', base64: Buffer.from(text).toString('base64') });
  return { client, heard: () => heard, hasEnded: () => hasEnded, type };
}
const has = (who: { heard: () => string }, text: string): Promise<true> =>
  waitFor(text, () => who.heard().includes(text) || null);

beforeAll(async () => {
  ebb = await Ebb.start();
  ({ vmId } = await ebb.createSample('serial', { minMib: 112, maxMib: 128, diskMib: 16 }));
  agent = await ebb.startVm(vmId);
});
afterAll(() => ebb?.dispose());

const script = (command: string): ChildProcess =>
  spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, EBB_DATA: ebb.paths.dataFolder },
  });

describe('the serial line of a real guest', () => {
  let first: Viewer;
  let second: Viewer;

  it('is typed into, and seen by all who look; who comes later sees what was', async () => {
    first = await looking();
    const shell = `(while :; do setsid sh -c 'exec sh -i </dev/ttyS0 >/dev/ttyS0 2>&1'; done) >/dev/null 2>&1 &`;
    await agent.call('sh', { cmd: shell });
    // The shell's own prompt says that it reads.
    await has(first, '# ');
    await first.type('echo $((6*7))-answers\r');
    await has(first, '42-answers');
    second = await looking();
    await has(second, '42-answers');
    await second.type('echo second-$((20+3))\r');
    await Promise.all([has(first, 'second-23'), has(second, 'second-23')]);
  });

  it('DESIGN §8: a title, the clipboard and a question of the guest do not arrive; its colours do', async () => {
    await first.type(
      String.raw`printf 'A\033]0;owned\007\033]52;c;b3duZWQ=\007\033[c\033]8;;http://x\033\\B\033[31mred\033[0m-%s\n' done` +
        '\r',
    );
    await has(first, 'red\u001b[0m-done');
    expect(first.heard()).toContain('AB\u001b[31mred');
    expect(first.heard()).not.toContain('\u001b]');
    expect(first.heard()).not.toContain('\u001b[c');
  });

  it('a screenful printed without end is a bounded stream, and the line still works', async () => {
    await first.type(
      'i=0; while [ $i -lt 3000 ]; do echo "flood $i xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"; i=$((i+1)); done; echo o"ver"\r',
    );
    await has(second, 'over\r\n');
    const late = await looking();
    await has(late, 'flood 2999');
    expect(late.heard().length).toBeLessThanOrEqual(64 * 1024);
    late.client.close();
  });

  it('`ebb serial` on a terminal: types, shows, and Ctrl+] leaves while the VM runs on', async () => {
    const child = script(`'${process.execPath}' '${CLI}' serial serial`);
    let out = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      out += bytes.toString();
    });
    const exit = new Promise<number | null>(resolve => child.once('close', resolve));
    await waitFor('the words', () => out.includes('Ctrl+] leaves it') || null);
    child.stdin?.write('echo typed-$((40+4))\r');
    await waitFor('the answer', () => out.includes('typed-44') || null);
    // Ctrl+C is the guest's: a program in it reads it as it is.
    child.stdin?.write("stty -isig -icanon; head -c1 | od -An -tx1 | sed 's/^/got/'; stty isig icanon\r");
    await waitFor(
      'a reader',
      async () => (await agent.call('sh', { cmd: 'pidof head' })).status === '0' || null,
    );
    child.stdin?.write('\u0003');
    await waitFor('the guest to have read it', () => /got\s*03/.test(out) || null);
    child.stdin?.write('\u001d');
    expect(await exit).toBe(0);
    expect(out).toContain('serial runs on');
    expect((await ebb.state(vmId)).phase).toBe('running');
  });

  it('through a restart of control it can be opened again; with its QEMU it ends for all', async () => {
    await ebb.killControl();
    const third = await looking();
    await third.type('echo again-$((60+6))\r');
    await has(third, 'again-66');
    await ebb.stopVm(vmId);
    await waitFor('the end', () => third.hasEnded() || null);
    await expect(third.client.call('console.open', { vmId, of: 'serial' })).rejects.toMatchObject({
      body: { code: 'vm.wrong-state' },
    });
    for (const { client } of [first, second, third]) client.close();
  });
});
