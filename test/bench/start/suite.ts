// `npm run -s bench -- start [--quick] [--json]`: the sample guest from the click to its first word, beside the very same QEMU
// line started by hand with an empty file for a disk; and how soon another control has the VMs that run after one was
// killed. Alternating, so that what else the machine does meets both alike.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordPath } from '../../../electron/control/vm/home-files.ts';
import { relocated, runRecordSchema, socketsIn } from '../../../electron/control/vm/run-record.ts';
import type { VmId } from '../../../shared/ids.ts';
import { Ebb, pause, waitFor } from '../../support/ebb.ts';
import { type BenchRow, median, type SuiteOptions } from '../../support/report.ts';

const FLOOR = 1.3;
const ADOPTED = 4;
const ADOPTED_MS = 1000;
const LOOK_MS = 5;
const QEMU = 'qemu-system-x86_64';

const spread = (values: readonly number[]): number =>
  (Math.max(...values) - Math.min(...values)) / median(values);

/** When the guest behind that socket says its first word: it is asked before it is up, and QEMU keeps the question. */
async function firstWord(path: string, isAlive: () => boolean): Promise<number> {
  while (isAlive()) {
    const at = await new Promise<number | null>(resolve => {
      const line = connect(path, () => line.write('1 ping\n'));
      line.once('data', () => {
        resolve(performance.now());
        line.destroy();
      });
      line.once('error', () => resolve(null));
      line.once('close', () => resolve(null));
    });
    if (at !== null) return at;
    await pause(LOOK_MS);
  }
  throw new Error(`nobody is behind ${path}`);
}

/** Milliseconds from the command. */
async function startOurs(ebb: Ebb, vmId: VmId): Promise<number> {
  const from = performance.now();
  const { taskId } = await ebb.call('vm.start', { vmId });
  const to = await firstWord(agentOf(ebb, vmId), () => true);
  await ebb.done(taskId);
  await ebb.stopVm(vmId, 'force');
  return to - from;
}
const agentOf = (ebb: Ebb, vmId: VmId): string =>
  socketsIn(`${ebb.paths.runFolder}/vm-${vmId.slice(0, 13)}`).agent;

/** The line Ebb started it with; its disk a file, its sockets elsewhere. */
function byHand(ebb: Ebb, vmId: VmId, folder: string): string[] {
  const home = join(ebb.paths.dataFolder, 'vms', vmId);
  const record = runRecordSchema.parse(JSON.parse(readFileSync(recordPath({ home }), 'utf8')));
  const disk = join(folder, 'disk.raw');
  writeFileSync(disk, '');
  truncateSync(disk, 64 * 2 ** 20);
  return relocated(record, { home: folder, run: folder }).argv.map(word =>
    word.startsWith('driver=nbd,node-name=disk0')
      ? `driver=raw,node-name=disk0,discard=unmap,detect-zeroes=unmap,file.driver=file,file.filename=${disk}`
      : word,
  );
}

async function startByHand(argv: readonly string[], folder: string): Promise<number> {
  const from = performance.now();
  const child = spawn(QEMU, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  const to = await firstWord(socketsIn(folder).agent, () => child.exitCode === null);
  child.kill('SIGKILL');
  await new Promise(resolve => child.once('close', resolve));
  rmSync(socketsIn(folder).agent, { force: true });
  return to - from;
}

/** Until another control answers that all of them run. */
async function adoption(ebb: Ebb): Promise<number> {
  let from = 0;
  await ebb.killControl(() => {
    from = performance.now();
  });
  await waitFor('all to run', async () => {
    const { vms } = await ebb.call('vm.list', {});
    return vms.length === ADOPTED && vms.every(({ state }) => state.phase === 'running');
  });
  return performance.now() - from;
}

export async function run({ quick, say }: SuiteOptions): Promise<{ rows: BenchRow[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-t-start-'));
  const ebb = await Ebb.start(join(folder, 'data'));
  try {
    const { vmId } = await ebb.createSample('start', { minMib: 128, maxMib: 256, diskMib: 64 });
    // What is found out once (the accelerator), and read from the disk once, is so for both.
    await ebb.startVm(vmId);
    const argv = byHand(ebb, vmId, folder);
    await ebb.stopVm(vmId, 'force');
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < (quick ? 5 : 11); round++) {
      ours.push(await startOurs(ebb, vmId));
      theirs.push(await startByHand(argv, folder));
      say(`start: ${Math.round(ours.at(-1) ?? 0)} ms, by hand ${Math.round(theirs.at(-1) ?? 0)} ms`);
    }
    await ebb.startVm(vmId);
    for (let n = 1; n < ADOPTED; n++) await ebb.startVm((await ebb.createSample(`more ${n}`)).vmId);
    const adopted: number[] = [];
    for (let round = 0; round < 5; round++) adopted.push(await adoption(ebb));
    const ratio = median(ours) / median(theirs);
    const took = median(adopted);
    return {
      rows: [
        {
          work: 'sample guest, click to first word: ms (less is better)',
          peer: 'the same QEMU line by hand',
          ours: median(ours),
          theirs: median(theirs),
          ratio,
          spread: spread(ours),
          target: `floor ≤ ${FLOOR}, goal ≤ 1.1`,
          met: ratio <= FLOOR,
        },
        {
          work: `control killed: until the next has ${ADOPTED} running VMs, ms (less is better)`,
          peer: 'the limit',
          ours: took,
          theirs: ADOPTED_MS,
          ratio: took / ADOPTED_MS,
          spread: spread(adopted),
          target: `≤ ${ADOPTED_MS} ms`,
          met: took <= ADOPTED_MS,
        },
      ],
    };
  } finally {
    await ebb.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
