// Which files of a stranger's folder are taken over, and how the VM is set up here.
import { expect, it } from 'vitest';
import {
  addedSpec,
  isTaken,
  type Surroundings,
  unmovable,
} from '../../../../electron/control/machines/added-folder.ts';
import { checkRange } from '../../../../electron/control/memory/range.ts';
import { GIB_KIB } from '../../../../shared/units.ts';
import type { VmSpec } from '../../../../shared/vm.ts';
import { makeVm } from '../../../support/fake-world.ts';
import { managed, unrestricted } from '../../../support/policies.ts';

const made: VmSpec = makeVm({ name: 'dev', os: 'linux', phase: 'off', min: 8, max: 16 }, 1e13).summary.spec;
const ID = '00000000-0000-4000-8000-000000000001';
const port = (hostPort: number) => ({ protocol: 'tcp', hostPort, guestPort: 22 }) as const;
const spec: VmSpec = {
  ...made,
  boot: { kind: 'iso', isoName: 'installer.iso' },
  portForwards: [port(2222), port(3333)],
  hasSeed: true,
  autostart: { order: 1, delaySeconds: 0 },
};
const limits = { budgetKib: 4 * GIB_KIB, capKib: null };
const here = (change: Partial<Surroundings> = {}): Surroundings => ({
  name: 'dev 2',
  policy: unrestricted,
  paths: [],
  checkRange: range => checkRange(range, limits),
  mostKib: limits.budgetKib,
  taken: [port(2222)],
  ...change,
});

it.each([
  [`disks/${ID}/${ID}.vhd`, true],
  [`moments/${ID}/uefi-vars.fd`, true],
  ['timeline.db', true],
  ['timeline.db-journal', true],
  ['installer.iso', true],
  ['tpm/tpm2-00.permall', true],
  // What could have something run, or end, is never taken.
  ['run.json', false],
  ['suspended/record.json', false],
  [`moments/${ID}/memory`, false],
  [`moments/.making-${ID}/moment.json`, false],
  ['barrier.json', false],
  ['going-back.json', false],
  ['rescue.py', false],
  ['.lock', false],
  ['disks/../../x', false],
  ['installer.iso.new', false],
])('%s is taken over: %s', (path, taken) => {
  expect(isTaken(path)).toBe(taken);
});

it('moves a folder only as a whole', () => {
  expect(unmovable(['vm.json', 'run.json', 'qemu.log', '.lock', 'timeline.db', 'barrier.json', 'x'])).toEqual(
    ['barrier.json', 'x'],
  );
});

it('M10: has memory that this computer can give, free ports, and nothing that is not there', () => {
  expect(addedSpec(spec, here())).toEqual({
    ...spec,
    name: 'dev 2',
    minKib: 4 * GIB_KIB,
    maxKib: 4 * GIB_KIB,
    boot: { kind: 'disk' },
    portForwards: [port(3333)],
    hasSeed: false,
    autostart: null,
  });
  const whole = addedSpec(spec, here({ paths: ['installer.iso', 'seed/user-data'] }));
  expect(whole).toMatchObject({ boot: spec.boot, hasSeed: true });
});

it('keeps the limits of IT', () => {
  const policy = managed({
    'vm.cpus': { max: 1 },
    'network.modes': { allowed: ['none'] },
    'network.forwards': { value: false },
  });
  expect(addedSpec(spec, here({ policy }))).toMatchObject({ cpus: 1, network: 'none', portForwards: [] });
});
