// L4: UEFI variables belong to the firmware that wrote them. They go when the VM's other firmware is stored, and stay where
// it is not, whenever control dies.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SetupDesk, type SetupPorts } from '../../../../electron/control/setup/desk.ts';
import { VarsChange } from '../../../../electron/control/setup/vars-change.ts';
import { type Catalog, openCatalog } from '../../../../electron/control/store/catalog.ts';
import * as json from '../../../../electron/platform/json-file.ts';
import { specOf } from '../../../support/memory-world.ts';

const spec = { ...specOf(1), firmware: 'uefi' as const };
let home: string;
let catalog: Catalog;
let lines: string[];
let isStuck: boolean;
const hasVars = () => existsSync(join(home, 'uefi-vars.fd'));
const hasNote = () => existsSync(join(home, 'firmware-change.json'));

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ebb-vars-'));
  writeFileSync(join(home, 'uefi-vars.fd'), 'vars');
  catalog = openCatalog(':memory:');
  catalog.put(spec);
  [lines, isStuck] = [[], false];
});
afterEach(() => rmSync(home, { recursive: true }));

const vars = () =>
  new VarsChange({
    ...json,
    home: () => home,
    forgetVars: () => {
      if (isStuck) throw new Error('stuck');
      json.removeFile(join(home, 'uefi-vars.fd'));
    },
    log: line => void lines.push(line),
  });
const found = () => {
  const now = catalog.get(spec.id);
  if (now === undefined) throw new Error('the VM is gone');
  return now;
};
const desk = () =>
  new SetupDesk({
    machines: {
      get: () => ({ spec: found(), state: { phase: 'off' } }),
      spec: found,
      kept: () => [{ spec: found() }],
      supervisor: () => ({ savedRecord: () => null }),
      update: catalog.put,
    },
    parts: { firmware: () => ({}), swtpm: () => null },
    vars: vars(),
  } as unknown as SetupPorts);

it('with the firmware stored they go; what is no change of firmware leaves them', async () => {
  await desk().configure(spec.id, { cpus: 7, firmware: 'uefi' });
  expect(hasVars()).toBe(true);
  await desk().configure(spec.id, { firmware: 'bios' });
  expect([found().firmware, hasVars(), hasNote(), lines]).toEqual(['bios', false, false, []]);
});

it('where the catalog takes no row nothing is changed, as people are told', async () => {
  catalog.db.pragma('query_only = ON');
  await expect(desk().configure(spec.id, { firmware: 'bios' })).rejects.toMatchObject({
    body: { safe: expect.stringMatching(/are not affected/) },
  });
  expect([found().firmware, hasVars(), hasNote()]).toEqual(['uefi', true, false]);
});

it('after a crash the next control looks at what was stored', () => {
  vars().begin(spec, 'bios');
  desk().begin();
  expect([hasVars(), hasNote()]).toEqual([true, false]);
  vars().begin(spec, 'bios');
  catalog.put({ ...spec, firmware: 'bios' });
  desk().begin();
  expect([hasVars(), hasNote()]).toEqual([false, false]);
});

it('where they cannot be removed that is done before anything else', async () => {
  isStuck = true;
  await desk().configure(spec.id, { firmware: 'bios' });
  expect([found().firmware, hasVars(), lines.length]).toEqual(['bios', true, 1]);
  expect(() => vars().finish(found())).toThrow('stuck');
  expect(() => vars().begin(found(), 'uefi-secure')).toThrow('stuck');
  isStuck = false;
  vars().finish(found());
  expect([hasVars(), hasNote()]).toEqual([false, false]);
});
