import { describe, expect, it } from 'vitest';
import {
  macMemoryFigures,
  parseMeminfo,
  parsePressure,
  parsePressureLevel,
  parseSwapKib,
  parseVmStat,
} from '../../../electron/platform/host-memory.ts';

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

const vmStat = (free: number): string => `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                                    ${free}.
Pages active:                                 410000.
Pages inactive:                               405000.
Pages speculative:                              6000.
Pages throttled:                                   0.
Pages wired down:                             170000.
Pages purgeable:                               11000.
"Translation faults":                     1935466161.
File-backed pages:                            206000.
Anonymous pages:                              615000.
Pages occupied by compressor:                 101000.
Swapouts:                                          0.
`;
const OLD_VM_STAT = `Mach Virtual Memory Statistics: (page size of 4096 bytes)
Pages free:                          90000.
Pages active:                       205000.
Pages inactive:                      32000.
Pages speculative:                  134000.
Pages wired down:                    61000.
`;

describe('macOS', () => {
  it('counts what can be had without compressing: of what is idle only what is a file', () => {
    expect(parseVmStat(vmStat(10_000))).toBe((10_000 + 6_000 + 11_000 + 200_000) * 16);
    expect(parseVmStat(OLD_VM_STAT)).toBe((90_000 + 134_000) * 4);
  });

  it('is not read out of what is cut or foreign', () => {
    for (const text of ['', 'Pages free: 1.', 'Mach Virtual Memory Statistics: (page size of 4096 bytes)\n'])
      expect(parseVmStat(text)).toBeNull();
  });

  // The values: xnu, bsd/kern/kern_memorystatus_notify.c (NOTE_MEMORYSTATUS_PRESSURE_NORMAL, _WARN, _CRITICAL = 1, 2, 4).
  it.each([
    ['1\n', 'normal'],
    ['2\n', 'warning'],
    ['4\n', 'critical'],
    ['', null],
    ['8\n', null],
    ["sysctl: unknown oid 'kern.memorystatus_vm_pressure_level'\n", null],
  ])('its own word on pressure: %j is %s', (text, level) => {
    expect(parsePressureLevel(text)).toBe(level);
  });

  it('has nothing available where nothing is', async () => {
    const nothing = vmStat(0).replaceAll(/(speculative|purgeable|inactive): +\d+/g, '$1: 0');
    const figures = macMemoryFigures({
      nowMs: () => 0,
      vmStat: () => Promise.resolve(nothing),
      pressureLevel: () => Promise.resolve('4\n'),
      node: () => ({ totalKib: 34_000_000, availableKib: 161_000 }),
    });
    figures();
    await new Promise(resolve => setImmediate(resolve));
    expect(figures()).toMatchObject({ availableKib: 0, pressure: 'critical' });
  });

  it('is asked again when the last answer is old, one question at a time; until then what Node says', async () => {
    const asked: { answer: (text: string) => void; fail: (cause: Error) => void }[] = [];
    const levels = [Promise.resolve('2\n')];
    let nowMs = 0;
    const figures = macMemoryFigures({
      nowMs: () => nowMs,
      vmStat: () => new Promise((answer, fail) => asked.push({ answer, fail })),
      pressureLevel: () => levels.shift() ?? Promise.reject(new Error('no sysctl')),
      node: () => ({ totalKib: 34_000_000, availableKib: 161_000 }),
    });
    const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
    expect(figures()).toEqual({ totalKib: 34_000_000, availableKib: 161_000, pressure: null });
    expect(figures().availableKib).toBe(161_000);
    expect(asked).toHaveLength(1);
    asked[0]?.answer(vmStat(10_000));
    await settled();
    expect(figures()).toEqual({ totalKib: 34_000_000, availableKib: 227_000 * 16, pressure: 'warning' });
    expect(asked).toHaveLength(1);
    nowMs = 1_000;
    expect(figures().availableKib).toBe(227_000 * 16);
    expect(asked).toHaveLength(2);
    asked[1]?.fail(new Error('gone'));
    await settled();
    // One failure is no host in need.
    expect(figures().availableKib).toBe(227_000 * 16);
    nowMs = 40_000;
    expect(figures()).toMatchObject({ availableKib: 161_000, pressure: null });
    expect(asked).toHaveLength(3);
  });
});
