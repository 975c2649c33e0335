// The codes of the rows: what a call passes on it is refused with.
import { describe, expect, it } from 'vitest';
import { storageContract } from '../../../electron/storage/contract.ts';
import { contract } from '../../../shared/rpc/contract.ts';
import { type ContractTable, type MethodRow, mayRefuseWith } from '../../../shared/rpc/table.ts';

const ours = Object.entries((contract as ContractTable).methods);
const storages = (storageContract as ContractTable).methods;
const missing = (row: MethodRow, of: MethodRow | undefined): string[] =>
  (of?.errors ?? []).filter(code => !mayRefuseWith(row, code));

describe('a row', () => {
  it.each([...ours, ...Object.entries(storages)])(
    '%s names a code once, and none that all have',
    (_, row) => {
      expect(new Set(row.errors).size).toBe(row.errors.length);
      expect(row.errors.filter(code => mayRefuseWith({ ...row, errors: [] }, code))).toEqual([]);
    },
  );

  it('of a call that goes on to storage under its name has all that storage refuses it with', () => {
    const passed = ours.filter(([name, { kind }]) => kind !== 'task' && storages[name] !== undefined);
    expect(passed.length).toBeGreaterThan(8);
    for (const [name, row] of passed) expect([name, missing(row, storages[name])]).toEqual([name, []]);
  });

  it('of a call that has the disks opened has all that they may not be opened for', () => {
    const opening = ours.filter(([, { errors }]) => errors.includes('vhd.parent-missing'));
    const others = ['vm.create', 'vm.rescue'];
    for (const [name, row] of opening)
      if (!others.includes(name)) expect([name, missing(row, storages['vm.open'])]).toEqual([name, []]);
    const asked = ours.filter(([, { errors }]) => errors.includes('storage.unavailable'));
    expect(asked.filter(one => !opening.includes(one)).map(([name]) => name)).toEqual(['vm.rescue']);
  });
});
