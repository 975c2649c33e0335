// Points taken under a writer that waits for each of its writes to be durable: how long the longest of them took; beside
// QEMU's external snapshots under the same writer.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { until } from '../../support/until.ts';
import { longestGapMs } from './fio.ts';
import { limitRow, row } from './rows.ts';
import { filled } from './servers.ts';
import { take } from './timelines.ts';
import { tool } from './writes.ts';

const MIB = 2 ** 20;
const EVERY_MS = 250;

interface Snapshots extends AsyncDisposable {
  readonly uri: string;
  take(): Promise<void>;
}

/** QEMU's storage daemon, told by its monitor. */
async function snapshots(base: string, folder: string): Promise<Snapshots> {
  const socket = join(folder, 'qsd.sock');
  const child: ChildProcess = spawn(
    'qemu-storage-daemon',
    [
      ...['--blockdev', `driver=file,node-name=file,filename=${base}`],
      ...['--blockdev', 'driver=qcow2,node-name=n0,file=file'],
      ...['--nbd-server', `addr.type=unix,addr.path=${socket}`],
      ...['--export', 'type=nbd,id=e,node-name=n0,writable=on,name=disk'],
      ...['--chardev', 'stdio,id=c', '--monitor', 'chardev=c'],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const replies: string[] = [];
  if (child.stdout === null) throw new Error('no monitor');
  createInterface(child.stdout).on('line', line => {
    if (/"(?:return|error)"/.test(line)) replies.push(line);
  });
  const ask = async (execute: string, given: Readonly<Record<string, string>>): Promise<void> => {
    const before = replies.length;
    child.stdin?.write(`${JSON.stringify({ execute, arguments: given })}\n`);
    await until(`an answer to ${execute}`, () => replies.length > before, 60_000);
    if (replies.at(-1)?.includes('"error"')) throw new Error(`${execute}: ${replies.at(-1)}`);
  };
  await until('the storage daemon to listen', () => existsSync(socket));
  await ask('qmp_capabilities', {});
  let count = 0;
  return {
    uri: `nbd+unix:///disk?socket=${socket}`,
    take: async () => {
      const node = `n${count++}`;
      await ask('blockdev-snapshot-sync', {
        'node-name': node,
        'snapshot-file': join(folder, `snapshot-${count}.qcow2`),
        'snapshot-node-name': `n${count}`,
        format: 'qcow2',
      });
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** Takes one after another until the writer has ended; answers its longest gap. */
async function under(uri: string, seconds: number, takeOne: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  const writing = longestGapMs(uri, seconds, 64 * MIB).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise(resolve => setTimeout(resolve, EVERY_MS));
    if (!isOver) await takeOne();
  }
  return writing;
}

export async function takes({ quick, say }: SuiteOptions): Promise<BenchRow[]> {
  const [sizeBytes, rounds, seconds] = quick ? [128 * MIB, 3, 3] : [512 * MIB, 5, 8];
  const { ours, root } = await filled(sizeBytes);
  await using storage = ours.storage;
  const base = join(storage.folder, 'base.qcow2');
  await tool('qemu-img', 'convert', '-f', 'vpc', '-O', 'qcow2', root, base);
  await using peer = await snapshots(base, storage.folder);
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    let count = 0;
    mine.push(await under(ours.uri, seconds, () => take(ours, `${round} ${count++}`)));
    theirs.push(await under(peer.uri, seconds, () => peer.take()));
  }
  const figures = { peer: 'blockdev-snapshot-sync', ours: mine, theirs };
  const work = 'take under a writer: its longest durable write, ms';
  say(
    `${work}: ${mine.map(ms => ms.toFixed(1)).join(', ')}; QEMU ${theirs.map(ms => ms.toFixed(1)).join(', ')}`,
  );
  return [
    row({ work, ...figures }, { floor: 1, goal: 0.5 }, true),
    limitRow({ work, ...figures }, { floor: 20, goal: 20 }),
  ];
}
