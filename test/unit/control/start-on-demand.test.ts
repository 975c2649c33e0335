import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureControl, rejoinControl } from '../../../electron/control/start-on-demand.ts';
import { takeLock } from '../../../electron/platform/lock.ts';
import { startedAt } from '../../../electron/platform/lock-owner.ts';
import { type EbbPaths, ebbPaths, makeFolders } from '../../../electron/platform/paths.ts';
import { storageContract } from '../../../electron/storage/contract.ts';
import { connectUnix } from '../../../electron/transport/unix-socket.ts';
import { Fault } from '../../../shared/result.ts';
import { connectClient } from '../../../shared/rpc/client.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import { until } from '../../support/until.ts';

describe('finding or starting control', () => {
  let folder: string;
  let paths: EbbPaths;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ebb-start-'));
    paths = ebbPaths(join(folder, 'd'));
  });
  afterEach(async () => {
    const storage = await connectUnix(paths.storageSocket).catch(() => null);
    // A control that was told to quit has told it, too: it may be ending already.
    if (storage !== null)
      await connectClient(storageContract, storage)
        .call('storage.quit', {})
        .catch(() => undefined);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('starts one for many who ask at once, and reuses it', async () => {
    const found = await Promise.all([1, 2, 3].map(() => ensureControl(paths.dataFolder)));
    const clients = [...found, await ensureControl(paths.dataFolder)].map(({ channel }) =>
      connectClient(contract, channel),
    );
    const pids = await Promise.all(clients.map(async client => (await client.call('app.info', {})).pid));
    expect(new Set(pids).size).toBe(1);
    await clients[0]?.call('app.quit', {});
    await until('it has ended', () => startedAt(pids[0] ?? 0) === '');
    for (const client of clients) client.close();
    // On a loaded machine one of those started in vain may come so late that the lock is free again.
    await until('nobody serves', async () => {
      const late = await rejoinControl(paths, 'local').catch((cause: unknown) => cause);
      if (late instanceof Fault) return late.body.code === 'rpc.unavailable';
      const client = connectClient(contract, late as Awaited<ReturnType<typeof rejoinControl>>);
      await client.call('app.quit', {}).catch(() => undefined);
      client.close();
      return false;
    });
  });

  it('starts another at once when the one that ran was killed', async () => {
    const first = await ensureControl(paths.dataFolder);
    const before = connectClient(contract, first.channel);
    const { pid } = await before.call('app.info', {});
    process.kill(pid, 'SIGKILL');
    await until('it is dead, reaped or not', () => startedAt(pid) === '');
    before.close();
    const second = connectClient(contract, (await ensureControl(paths.dataFolder)).channel);
    const { pid: successor } = await second.call('app.info', {});
    expect(successor).not.toBe(pid);
    await second.call('app.quit', {});
    await until('it has ended', () => startedAt(successor) === '');
    second.close();
  });

  it('says why it did not start, with the end of its log', async () => {
    makeFolders(paths);
    // This process holds the lock and serves nothing.
    const lock = takeLock(paths.controlLock);
    const error = await ensureControl(paths.dataFolder).catch((reason: unknown) => reason);
    if (lock.ok) lock.release();
    expect(error).toBeInstanceOf(Fault);
    const body = (error as Fault).body;
    expect(body.code).toBe('rpc.unavailable');
    expect(body.what).toContain('ended with code 3');
    expect(body.what).toContain(`pid ${process.pid}`);
    expect(body.todo).toContain(paths.controlLog);
  });
});
