import { describe, expect, it } from 'vitest';
import { en } from '../../../../renderer/i18n/en.ts';
import { createProblems, firstForm, toParams, withKind } from '../../../../renderer/state/create-form.ts';
import { freeName } from '../../../../shared/free-name.ts';
import type { FileToken } from '../../../../shared/ids.ts';
import { contract } from '../../../../shared/rpc/contract.ts';
import { GIB } from '../../../../shared/units.ts';

const given = { baseName: 'sample', names: ['work'], host: null };
const words = { names: ['work'], text: en };
const file = {
  kind: 'ready' as const,
  file: '11111111-1111-4111-8111-111111111111' as FileToken,
  name: 'legacy.vhd',
  bytes: 5,
};

describe('the create form', () => {
  it('can be sent as it opens, for the sample', () => {
    const form = firstForm('sample', given);
    expect(createProblems(form, words)).toEqual({});
    expect(contract.methods['vm.create'].params.safeParse(toParams(form)).success).toBe(true);
  });

  it('asks for a file and for its format in words, never guessing one', () => {
    const form = firstForm('disk', given);
    expect(createProblems(form, words)).toEqual({
      file: en.create.fileMissing,
      format: en.create.formatMissing,
    });
    expect(toParams({ ...form, file })).toBeNull();
    expect(toParams({ ...form, file, format: 'vhd' })?.source).toEqual({
      kind: 'disk',
      file: file.file,
      format: 'vhd',
    });
  });

  it('keeps to the contract for every kind', () => {
    const iso = toParams({ ...firstForm('iso', given), file, diskGib: '20,5' });
    expect(contract.methods['vm.create'].params.safeParse(iso).success).toBe(true);
    expect(iso?.source).toMatchObject({ kind: 'iso', diskBytes: 20.5 * GIB });
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ name: 'a/b' }, 'name'],
    [{ name: ' Work ' }, 'name'],
    [{ cpus: '0' }, 'cpus'],
    [{ cpus: '1.5' }, 'cpus'],
    [{ cpus: 'two' }, 'cpus'],
    [{ diskGib: '0' }, 'diskGib'],
    [{ diskGib: '2041' }, 'diskGib'],
    [{ diskGib: '' }, 'diskGib'],
  ] as const)('says what is wrong with %o', (change, field) => {
    expect(Object.keys(createProblems({ ...firstForm('sample', given), ...change }, words))).toEqual([field]);
  });

  it('keeps what was typed when another kind is chosen, and nothing of the other kind', () => {
    const names = { ...given, baseName: 'disk', oldName: 'sample' };
    const untouched = firstForm('sample', given);
    expect(withKind(untouched, 'disk', names)).toEqual(firstForm('disk', names));
    const typed = { ...untouched, name: 'mine', maxKib: untouched.maxKib * 2 };
    const other = withKind(typed, 'iso', names);
    expect(other).toMatchObject({ name: 'mine', maxKib: typed.maxKib, minKib: typed.minKib, cpus: '2' });
    expect(withKind({ ...other, file }, 'disk', { ...names, oldName: 'disk' }).file).toBeNull();
  });

  it('offers the first name that is free', () => {
    expect(freeName('sample', ['Sample', 'sample 2'])).toBe('sample 3');
  });

  it('keeps the quarter rule in the range it proposes', () => {
    for (const kind of ['sample', 'iso', 'disk'] as const) {
      const { minKib, maxKib } = firstForm(kind, given);
      expect(minKib * 4).toBe(maxKib);
    }
  });
});
