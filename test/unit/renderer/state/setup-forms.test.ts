// Forms of how a VM is set up: what they ask for keeps to the contract, and what is wrong is said beside it.
import { describe, expect, it } from 'vitest';
import { en } from '../../../../renderer/i18n/en.ts';
import { createProblems, firstForm, toParams, withOs } from '../../../../renderer/state/create-form.ts';
import { forwardsOf, rowsOf } from '../../../../renderer/state/network-form.ts';
import { groupsOf } from '../../../../renderer/view/groups.ts';
import type { FileToken } from '../../../../shared/ids.ts';
import { KINDS, suggestedRange } from '../../../../shared/kinds.ts';
import { contract } from '../../../../shared/rpc/contract.ts';
import { GIB, GIB_KIB } from '../../../../shared/units.ts';
import type { VmSummary } from '../../../../shared/vm.ts';
import { setupChangeSchema } from '../../../../shared/vm-setup.ts';
import { specOf } from '../../../support/memory-world.ts';

const given = { baseName: 'vm', names: [], host: null };
const words = { names: [], text: en };
const file = {
  kind: 'ready' as const,
  file: '11111111-1111-4111-8111-111111111111' as FileToken,
  name: 'cloud.qcow2',
  bytes: 5,
};
const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE${'a'.repeat(42)} me`;

describe('the system in the create form', () => {
  it('brings what its kind wants, and leaves what the person changed', () => {
    const form = { ...firstForm('iso', given), cpus: '7', group: 'lab', file };
    const windows = withOs(form, 'windows-11', null);
    expect(windows).toMatchObject({ firmware: 'uefi-secure', hasTpm: true, cpus: '7', group: 'lab', file });
    expect(windows.diskGib).toBe(String(KINDS['windows-11'].diskBytes / GIB));
    expect(windows).toMatchObject(suggestedRange('windows-11', 8 * GIB_KIB));
    expect(withOs(windows, 'linux', null)).toEqual(form);
    expect(contract.methods['vm.create'].params.safeParse(toParams(windows)).success).toBe(true);
    const own = withOs({ ...form, minKib: GIB_KIB, maxKib: GIB_KIB, firmware: 'uefi' }, 'windows-11', null);
    expect(own).toMatchObject({ minKib: GIB_KIB, maxKib: GIB_KIB, firmware: 'uefi', hasTpm: true });
  });
});

describe('a cloud image in the create form', () => {
  const image = { ...firstForm('disk', given), file, format: 'qcow2' as const };
  it('is one where a user is named, and then wants a key', () => {
    expect(toParams(image)).toMatchObject({ cloudInit: null });
    expect(createProblems({ ...image, cloudUser: 'ann' }, words)).toEqual({
      cloudKey: en.setup.cloud.keyRule,
    });
    const whole = { ...image, cloudUser: ' ann ', cloudKey: `${KEY}\n`, cloudPackages: 'nginx, git' };
    expect(createProblems(whole, words)).toEqual({});
    const params = toParams(whole);
    expect(params).toMatchObject({ cloudInit: { user: 'ann', sshKeys: [KEY], packages: ['nginx', 'git'] } });
    expect(contract.methods['vm.create'].params.safeParse(params).success).toBe(true);
  });

  it.each([
    [{ cloudKey: KEY }, 'cloudUser'],
    [{ cloudUser: 'Ann' }, 'cloudUser'],
    [{ cloudUser: 'ann', cloudKey: 'secret' }, 'cloudKey'],
    [{ cloudUser: 'ann', cloudKey: KEY, cloudPackages: '--yes' }, 'cloudPackages'],
  ])('says what is wrong with %o', (change, field) => {
    expect(Object.keys(createProblems({ ...image, ...change }, words))).toContain(field);
  });
});

describe('the network form', () => {
  const row = (key: number, hostPort: string, guestPort = '22', protocol: 'tcp' | 'udp' = 'tcp') => ({
    key,
    protocol,
    hostPort,
    guestPort,
  });
  it('asks for what is typed, and names the first row that cannot be', () => {
    const { forwards, problem } = forwardsOf([row(0, ' 2222 '), row(1, '2222', '53', 'udp')], en);
    expect(problem).toBeNull();
    expect(setupChangeSchema.safeParse({ portForwards: forwards }).success).toBe(true);
    expect(forwardsOf(rowsOf(forwards), en).forwards).toEqual(forwards);
    for (const wrong of ['', '0', '65536', '1e3', '-1', '22,hostfwd='])
      expect(forwardsOf([row(0, '80'), row(4, wrong)], en).problem).toEqual({
        key: 4,
        text: en.setup.network.portRule,
      });
    expect(forwardsOf([row(0, '80'), row(1, '80')], en).problem?.key).toBe(1);
  });
});

describe('groups at the side', () => {
  it('come after VMs of none, by name, each with its VMs in their order', () => {
    const vm = (n: number, group: string) => ({ spec: { ...specOf(n), group } }) as VmSummary;
    const groups = groupsOf([vm(1, 'b'), vm(2, ''), vm(3, 'a'), vm(4, 'b')], 'en');
    expect(groups.map(({ name, vms }) => [name, ...vms.map(({ spec }) => spec.name)])).toEqual([
      ['', 'vm2'],
      ['a', 'vm3'],
      ['b', 'vm1', 'vm4'],
    ]);
  });
});
