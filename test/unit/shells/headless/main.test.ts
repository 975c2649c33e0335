import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { repositoryRoot } from '../../../../build/layers.ts';
import { startedAt } from '../../../../electron/platform/lock-owner.ts';
import { ebbPaths } from '../../../../electron/platform/paths.ts';
import { storageContract } from '../../../../electron/storage/contract.ts';
import { connectUnix } from '../../../../electron/transport/unix-socket.ts';
import { webSocketChannel } from '../../../../electron/transport/websocket.ts';
import { type Client, connectClient } from '../../../../shared/rpc/client.ts';
import { type Contract, contract } from '../../../../shared/rpc/contract.ts';
import { until } from '../../../support/until.ts';

describe('headless shell with the real control service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-headless-'));
  const paths = ebbPaths(join(folder, 'd'));
  let gateway: ChildProcess;
  let origin = '';
  let cookie = '';

  beforeAll(async () => {
    const main = join(repositoryRoot, 'electron', 'shells', 'headless', 'main.ts');
    gateway = spawn(process.execPath, [main, '--data', paths.dataFolder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    gateway.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await until('the link', () => output.includes('#token='), 60_000);
    const [, base = '', token = ''] = /(http:\S+)\/#token=(\S+)/.exec(output) ?? [];
    origin = base;
    const answer = await fetch(`${origin}/session`, {
      method: 'POST',
      headers: { origin },
      body: JSON.stringify({ token }),
    });
    cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
  });
  afterAll(async () => {
    gateway.kill();
    const storage = await connectUnix(paths.storageSocket).catch(() => null);
    if (storage !== null) await connectClient(storageContract, storage).call('storage.quit', {});
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** Null where the gateway has no control to offer. */
  function connect(): Promise<Client<Contract> | null> {
    const socket = new WsClient(`${origin.replace('http', 'ws')}/rpc`, { headers: { origin, cookie } });
    return new Promise(resolve => {
      socket.on('open', () => resolve(connectClient(contract, webSocketChannel(socket))));
      socket.on('error', () => resolve(null));
    });
  }

  it('reaches control for a signed-in page, as a browser caller', async () => {
    const client = await connect();
    expect(await client?.call('vm.list', {})).toEqual({ vms: [] });
    await expect(client?.call('file.register', { path: '/etc/passwd' })).rejects.toThrow('rpc.denied');
    client?.close();
  });

  it('brings control back after a crash, and leaves it alone after a wanted quit', async () => {
    const before = await connect();
    const { pid } = (await before?.call('app.info', {})) ?? { pid: 0 };
    expect(startedAt(pid)).not.toBe('');
    let hasEnded = false;
    before?.onClose(() => {
      hasEnded = true;
    });
    process.kill(pid, 'SIGKILL');
    await until('the page hears that control is gone', () => hasEnded);
    const after = await connect();
    const revived = (await after?.call('app.info', {})) ?? { pid: 0 };
    expect(revived.pid).not.toBe(pid);
    await after?.call('app.quit', {});
    await until('control has ended', () => startedAt(revived.pid) === '');
    expect(await connect()).toBeNull();
    expect((await fetch(`${origin}/session`, { headers: { cookie } })).status).toBe(503);
  });
});
