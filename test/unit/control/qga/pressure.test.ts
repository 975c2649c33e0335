// What is made of an agent that is there, absent, silent, or tells nonsense (M4).
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AgentFigures } from '../../../../electron/control/ports.ts';
import { openAgent } from '../../../../electron/control/qga/open.ts';
import { PressureReader, stalledOf, swappedKibOf } from '../../../../electron/control/qga/pressure.ts';
import { connectBytes } from '../../../../electron/platform/socket.ts';
import { FakeAgent, pressureText, swapText } from '../../../support/fake-qga.ts';
import { TestClock } from '../../../support/memory-world.ts';
import { until } from '../../../support/until.ts';

const PRESSURE = '/proc/pressure/memory';
let folder: string;
let fake: FakeAgent;
let clock: TestClock;
let reader: PressureReader;
let isPortOpen: boolean;
let qmpAsked: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-qga-'));
  fake = await FakeAgent.listen(join(folder, 'qga'));
  fake.files.set(PRESSURE, pressureText('23.50'));
  fake.files.set('/proc/meminfo', swapText(1_048_572, 1_000_000));
  clock = new TestClock();
  isPortOpen = true;
  qmpAsked = 0;
  const chardevs = (): Promise<unknown> => {
    qmpAsked++;
    return Promise.resolve([
      { label: 'agent', filename: 'x', 'frontend-open': true },
      { label: 'qga', filename: 'x', 'frontend-open': isPortOpen },
    ]);
  };
  const qmp = { execute: chardevs };
  const way = { qmp, connect: connectBytes, chardev: 'qga', path: join(folder, 'qga'), clock };
  reader = new PressureReader({ clock, open: () => openAgent(way) });
});
afterEach(async () => {
  reader.close();
  await fake.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks as sampling does, until something was heard at or after that moment. */
async function heardFrom(atMs: number): Promise<AgentFigures | null> {
  await until('it was heard', () => (reader.figures()?.atMs ?? -1) >= atMs);
  return reader.figures();
}

/** All that was promised comes true. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

describe('pressure inside a guest', () => {
  it('is what its agent reads in /proc; nobody waits for it', async () => {
    expect(reader.figures()).toBeNull();
    expect(await heardFrom(0)).toEqual({ stalled: 23.5, swappedKib: 48_572, atMs: 0 });
    fake.files.set(PRESSURE, pressureText('0.00'));
    await clock.advance(2_000);
    expect(await heardFrom(2_000)).toMatchObject({ stalled: 0 });
    expect(fake.connections).toBe(1);
  });

  it('without PSI, or without /proc/meminfo, the other counts', async () => {
    fake.files.delete(PRESSURE);
    expect(await heardFrom(0)).toMatchObject({ stalled: null, swappedKib: 48_572 });
    fake.files.set(PRESSURE, pressureText('1.00'));
    fake.files.delete('/proc/meminfo');
    await clock.advance(2_000);
    expect(await heardFrom(2_000)).toMatchObject({ stalled: 1, swappedKib: null });
  });

  it('a guest where nobody listens is not spoken to', async () => {
    isPortOpen = false;
    expect(reader.figures()).toBeNull();
    await turns();
    await clock.advance(14_000);
    reader.figures();
    expect(qmpAsked).toBe(1);
    expect(fake.connections).toBe(0);
    isPortOpen = true;
    await clock.advance(1_000);
    expect(await heardFrom(15_000)).toMatchObject({ stalled: 23.5 });
  });

  it('one that is never there is looked for ever less often', async () => {
    const askedAt: number[] = [];
    const open = (): Promise<null> => {
      askedAt.push(clock.now / 1000);
      return askedAt.length % 2 === 0 ? Promise.reject(new Error('no')) : Promise.resolve(null);
    };
    const absent = new PressureReader({ clock, open });
    for (; clock.now < 3_000_000; clock.now += 1_000) {
      absent.figures();
      await turns();
    }
    expect(askedAt.slice(0, 6)).toEqual([0, 15, 45, 105, 225, 465]);
    expect(askedAt).toHaveLength(10);
    expect(absent.figures()).toBeNull();
  });

  it('one that may not read, or has neither file, has told nothing', async () => {
    fake.files.clear();
    reader.figures();
    await until('it was refused twice', () => fake.asked.length === 3);
    await until('it was let go of', () => fake.openSockets === 0);
    expect(reader.figures()).toBeNull();
  });

  it('one that falls silent leaves what it said last, with its moment, and is connected to anew', async () => {
    await heardFrom(0);
    fake.instead = () => Buffer.from('');
    await clock.advance(2_000);
    for (const asked of [1, 2]) {
      const before = fake.asked.length;
      reader.figures();
      await until(`it is asked (${asked})`, () => fake.asked.length > before);
      await clock.advance(5_000);
    }
    await until('it was let go of', () => fake.openSockets === 0);
    expect(reader.figures()?.atMs).toBe(0);
    fake.instead = () => null;
    await clock.advance(20_000);
    await heardFrom(20_000);
    expect(fake.connections).toBe(2);
  });

  it('figures that are none are left out', () => {
    expect(stalledOf(pressureText('18446744073709551615'))).toBeNull();
    expect(stalledOf(pressureText('100.01'))).toBeNull();
    expect(stalledOf(pressureText('-1'))).toBeNull();
    expect(stalledOf(pressureText('100.00'))).toBe(100);
    expect(stalledOf('')).toBeNull();
    expect(swappedKibOf(swapText(2n ** 64n - 1n, 0))).toBeNull();
    expect(swappedKibOf(swapText(1000, 1001))).toBeNull();
    expect(swappedKibOf(swapText(0, 0))).toBe(0);
    expect(swappedKibOf('SwapTotal: 5 kB')).toBeNull();
  });
});
