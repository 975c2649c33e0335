// T11: what the run file of one process tells the next: all whole records of the same boot, in order, and nothing else.
import { beforeEach, expect, it } from 'vitest';
import type { Folder } from '../../../../electron/platform/ports.ts';
import { RunFile, type RunRecord, runFileNames } from '../../../../electron/storage/disk/run-file.ts';
import { SimWorld } from '../../../sim/storage/device.ts';
import { Seeded } from '../../../support/seeded.ts';

const LEAF = '33333333-3333-4333-8333-333333333333';
const [NAME] = runFileNames(LEAF);
const [HEADER, RECORD] = [128, 16];
const record = (n: number): RunRecord => ({ block: n, entry: 100 + n, firstUnit: n, units: 1 + n });

let folder: Folder;
beforeEach(() => {
  folder = new SimWorld(new Seeded(1), 'boot-0').folder('disk');
});

const opened = (boot = 'boot-0'): { run: RunFile; found: RunRecord[] } => {
  const found: RunRecord[] = [];
  return { run: RunFile.open(folder, LEAF, boot, one => found.push(one)), found };
};
function noted(...numbers: number[]): void {
  const { run } = opened();
  for (const n of numbers) run.append(record(n));
  run.close();
}

it('records of this boot are told in order, and more follow them', () => {
  noted(0, 1, 2);
  const { run, found } = opened();
  expect(found).toEqual([record(0), record(1), record(2)]);
  run.append(record(3));
  run.close();
  expect(opened().found.map(({ block }) => block)).toEqual([0, 1, 2, 3]);
});

it('another boot ignores them', () => {
  noted(0, 1);
  expect(opened('boot-1').found).toEqual([]);
  expect(opened('boot-1').found).toEqual([]);
});

it.each(Array.from({ length: RECORD }, (_, cut) => cut))(
  'of a record cut after %i bytes nothing is told, and the next takes its place',
  cut => {
    noted(0, 1);
    const file = folder.open(NAME, 'existing');
    file.truncate(HEADER + RECORD + cut);
    file.close();
    const { run, found } = opened();
    expect(found).toEqual([record(0)]);
    run.append(record(7));
    run.close();
    expect(opened().found).toEqual([record(0), record(7)]);
  },
);

it.each([0, 4, 9, 11, 12, 15])(
  'of a record whose byte %i is another, and of what follows it, nothing is told',
  at => {
    noted(0, 1, 2);
    const file = folder.open(NAME, 'existing');
    const byte = new Uint8Array(1);
    file.read(byte, HEADER + RECORD + at);
    file.write(Uint8Array.of((byte[0] ?? 0) ^ 0x10), HEADER + RECORD + at);
    file.close();
    expect(opened().found).toEqual([record(0)]);
  },
);

it('what a flush has made durable is told no more', () => {
  const { run } = opened();
  run.append(record(0));
  const closed = run.turn();
  run.append(record(1));
  run.clear(closed);
  run.close();
  expect(opened().found).toEqual([record(1)]);
});
