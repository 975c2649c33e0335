import { describe, expect, it } from 'vitest';
import { parseMeminfo, parsePressure, parseSwapKib } from '../../../electron/platform/host-memory.ts';

const meminfo = (available: string, swap = 'SwapTotal:       2097148 kB\n'): string =>
  `MemTotal:       24683656 kB\nMemFree:        12955700 kB\n${available}Buffers:          141144 kB\nSwapCached:            4 kB\n${swap}`;

describe('host memory', () => {
  it('reads total, available and swap', () => {
    const text = meminfo('MemAvailable:   19956496 kB\n');
    expect(parseMeminfo(text)).toEqual({ totalKib: 24_683_656, availableKib: 19_956_496 });
    expect(parseSwapKib(text)).toBe(2_097_148);
  });

  it('takes nothing available for what it is, and no more available than there is', () => {
    expect(parseMeminfo(meminfo('MemAvailable:          0 kB\n'))?.availableKib).toBe(0);
    expect(parseMeminfo(meminfo('MemAvailable:   99999999 kB\n'))?.availableKib).toBe(24_683_656);
  });

  it('says null where the text is cut, foreign or without the field', () => {
    for (const text of ['', 'Pages free: 1234.', meminfo(''), 'MemTotal: 5 kB\nMemAvailable:   199'])
      expect(parseMeminfo(text)).toBeNull();
  });

  it('tells no swap from swap unknown', () => {
    expect(parseSwapKib(meminfo('', 'SwapTotal:             0 kB\n'))).toBe(0);
    expect(parseSwapKib(meminfo('', ''))).toBeNull();
  });

  it('reads how long every program waited for memory; null without PSI or with `some` alone', () => {
    const some = 'some avg10=31.50 avg60=9.10 avg300=2.00 total=81\n';
    expect(parsePressure(`${some}full avg10=12.25 avg60=4.00 avg300=1.00 total=40\n`)).toBe(12.25);
    expect(parsePressure(some)).toBeNull();
    expect(parsePressure('')).toBeNull();
  });
});
