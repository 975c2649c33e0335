import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanAll, cleanText } from '../../../../renderer/view/clean.ts';
import { HOSTILE_TEXTS } from '../../../support/fake-crowd.ts';

describe('text of others', () => {
  it('loses what turns, hides or draws as a box, and nothing else', () => {
    expect(cleanText('safe\u202Etxt.exe\u202C \u2066in\u2069')).toBe('safetxt.exe in');
    expect(cleanText('a\u0000b\u001b[31mred\u200B')).toBe('ab[31mred');
    expect(cleanText('two\nlines\tand a tab')).toBe('two\nlines\tand a tab');
    expect(cleanText('<b>&amp;</b> עברית 中文 é naïve 👩\u200D👧')).toBe(
      '<b>&amp;</b> עברית 中文 é naïve 👩\u200D👧',
    );
  });

  it('keeps no tower of marks', () => {
    for (const text of HOSTILE_TEXTS) expect(cleanText(text)).not.toMatch(/\p{M}{5}/u);
  });

  it('is clean once and for all', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(cleanText(cleanText(text))).toBe(cleanText(text));
      }),
    );
  });

  it('reaches every string of a payload, and leaves a clean one the very object it was', () => {
    const clean = { a: [1, { b: 'x' }], c: null };
    expect(cleanAll(clean)).toBe(clean);
    const dirty = { keep: clean, list: ['\u202Ea', { deep: 'b\u0000' }] };
    const found = cleanAll(dirty);
    expect(found).toEqual({ keep: clean, list: ['a', { deep: 'b' }] });
    expect(found.keep).toBe(clean);
  });

  it('takes a name of 1 MB', () => {
    expect(cleanText('W\u202E'.repeat(500_000))).toHaveLength(500_000);
  });
});
