// An edge turned round: how fast, beside the same result by QEMU's tools and beside copying as many bytes twice; by copying
// and by reflink; and what it writes for each byte that changed.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchRow, SuiteOptions } from '../../support/report.ts';
import { row } from './rows.ts';
import { filled, type Ours } from './servers.ts';
import { atRest, take } from './timelines.ts';
import { contiguous, scattered, timed, tool, type Write, writeAll } from './writes.ts';

const MIB = 2 ** 20;

/**
 * Bytes its disk was given so far, by everybody. /proc/<pid>/io counts whole folios of the page cache, however little of
 * one is dirty: four times what is written.
 */
function writtenBytes(folder: string): number {
  const { dev } = statSync(folder);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const fields = readFileSync(`/sys/dev/block/${major}:${minor}/stat`, 'utf8').trim().split(/\s+/);
  return Number(fields[6]) * 512;
}

export interface Turned {
  readonly seconds: number;
  readonly writtenBytes: number;
}

/** The writes, a point, and the edge that comes of it turned. */
export async function turn(ours: Ours, writes: readonly Write[], name: string): Promise<Turned> {
  const { vmId, storage, uri } = ours;
  await storage.client.call('settle.set', { vmId, to: 'pause' });
  await writeAll(uri, 'raw', writes);
  await take(ours, name);
  await tool('sync');
  const before = writtenBytes(storage.folder);
  const seconds = await timed(async () => {
    await storage.client.call('settle.set', { vmId, to: 'run' });
    await atRest(ours);
  });
  await tool('sync');
  return { seconds, writtenBytes: writtenBytes(storage.folder) - before };
}

/** The old state as a difference from the new one, and the new one whole. */
async function turnByQemu(base: string, writes: readonly Write[], folder: string): Promise<number> {
  const [forward, backward] = [join(folder, 'forward'), join(folder, 'backward')];
  await tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, forward);
  await writeAll(forward, 'qcow2', writes);
  await tool('sync');
  const seconds = await timed(async () => {
    await tool('qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, backward);
    await tool('qemu-img', 'rebase', '-f', 'qcow2', '-F', 'qcow2', '-b', forward, backward);
    await tool('qemu-img', 'commit', '-q', '-d', '-f', 'qcow2', forward);
    await tool('qemu-img', 'rebase', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', base, backward);
    await tool('sync');
  });
  for (const path of [forward, backward]) rmSync(path);
  return seconds;
}

async function copyTwice(bytes: number, source: string, folder: string): Promise<number> {
  const copies = ['one', 'two'].map(name => join(folder, name));
  const seconds = await timed(async () => {
    for (const copy of copies)
      await tool('dd', `if=${source}`, `of=${copy}`, 'bs=1M', `count=${bytes / MIB}`, 'conv=fdatasync');
  });
  for (const copy of copies) rmSync(copy);
  return seconds;
}

export async function reversals({ quick, say, seed }: SuiteOptions): Promise<BenchRow[]> {
  const [sizeBytes, changedBytes, rounds] = quick ? [256 * MIB, 64 * MIB, 3] : [2048 * MIB, 1024 * MIB, 5];
  const { ours, root } = await filled(sizeBytes);
  await using storage = ours.storage;
  const folder = mkdtempSync(join(storage.folder, 'qemu-'));
  const base = join(folder, 'base');
  await tool('qemu-img', 'convert', '-f', 'vpc', '-O', 'qcow2', root, base);
  const rows: BenchRow[] = [];
  for (const kind of ['scattered', 'contiguous'] as const) {
    const [mine, theirs, floor, written]: number[][] = [[], [], [], []];
    for (let round = 0; round < rounds; round++) {
      const writes =
        kind === 'scattered' ? scattered(seed + round, sizeBytes, changedBytes) : contiguous(0, changedBytes);
      const turned = await turn(ours, writes, `${kind} ${round}`);
      mine?.push(1 / turned.seconds);
      written?.push(turned.writtenBytes / changedBytes);
      theirs?.push(1 / (await turnByQemu(base, writes, folder)));
      floor?.push(1 / (await copyTwice(changedBytes, base, folder)));
    }
    const work = `reverse ${changedBytes / MIB} MiB ${kind}`;
    const per = { work: `${work}: times/s`, ours: mine ?? [] };
    rows.push(
      row({ ...per, peer: 'qemu-img rebase and commit', theirs: theirs ?? [] }, { floor: 1.5, goal: 3 }),
    );
    const copied = kind === 'scattered' ? 0.4 : 0.8;
    rows.push(
      row({ ...per, peer: 'the same bytes copied twice', theirs: floor ?? [] }, { floor: 0, goal: copied }),
    );
    rows.push(
      row(
        { work: `${work}: bytes written`, peer: 'bytes changed', ours: written ?? [], theirs: [1] },
        { floor: 2.1, goal: 2.02 },
        true,
      ),
    );
    say(`${work}: ${rows.at(-3)?.ratio.toFixed(2)} of qemu-img, ${rows.at(-2)?.ratio.toFixed(2)} of copying`);
  }
  return rows;
}
