import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatKib,
  formatKibPair,
  formatOffset,
  formatRange,
  formatSpan,
} from '../../../../renderer/view/format.ts';
import { GIB, GIB_KIB, MIB, MIB_KIB } from '../../../../shared/units.ts';

describe('amounts on screen', () => {
  it.each([
    [512 * MIB_KIB, '512 MiB'],
    [GIB_KIB, '1 GiB'],
    [1.25 * GIB_KIB, '1.25 GiB'],
    [Math.round(3.9 * GIB_KIB), '3.9 GiB'],
    [Math.round(4.456 * GIB_KIB), '4.5 GiB'],
    [0, '0 MiB'],
    [2048 * GIB_KIB, '2 TiB'],
    [1023 * GIB_KIB, '1,023 GiB'],
  ])('writes %i KiB as %s', (kib, words) => {
    expect(formatKib(kib, 'en')).toBe(words);
  });

  it('writes bytes in the unit that reads best', () => {
    expect(formatBytes(1.2 * GIB, 'en')).toBe('1.2 GiB');
    expect(formatBytes(410 * MIB, 'en')).toBe('410 MiB');
    expect(formatBytes(4096, 'en')).toBe('4 KiB');
    expect(formatBytes(2040 * GIB, 'en')).toBe('2 TiB');
    expect(formatBytes(1.5 * 1024 * GIB, 'en')).toBe('1.5 TiB');
  });

  it('tells places on a disk apart, however large it is', () => {
    expect(formatOffset(3 * GIB + 8 * MIB, 'en')).toBe('3,080 MiB');
  });

  it('says a shared unit once', () => {
    expect(formatRange(2 * GIB_KIB, 8 * GIB_KIB, 'en')).toBe('2 – 8 GiB');
    expect(formatRange(512 * MIB_KIB, 2 * GIB_KIB, 'en')).toBe('512 MiB – 2 GiB');
    expect(formatRange(GIB_KIB, GIB_KIB, 'en')).toBe('1 GiB');
    expect(formatRange(GIB_KIB, 2048 * GIB_KIB, 'en')).toBe('1 GiB – 2 TiB');
    expect(formatKibPair(3.9 * GIB_KIB, 8 * GIB_KIB, 'en')).toEqual(['3.9', '8 GiB']);
    expect(formatKibPair(512 * GIB_KIB, 2048 * GIB_KIB, 'en')).toEqual(['0.5', '2 TiB']);
    expect(formatKibPair(100 * MIB_KIB, 512 * MIB_KIB, 'en')).toEqual(['100', '512 MiB']);
  });

  it('takes a span that runs backwards for none: clocks differ', () => {
    expect(formatSpan(-5000, 'en')).toBe('0 sec');
    expect(formatSpan(41 * 60_000, 'en')).toBe('41 min');
  });
});
