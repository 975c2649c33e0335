// What a person writes reaches cloud-init as the words they are: read back by somebody else's YAML reader.
import fc from 'fast-check';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { hostNameOf, seedOf, yamlString } from '../../../../electron/control/setup/cloud-init.ts';
import { cloudInitSchema } from '../../../../shared/vm-setup.ts';
import { uuid } from '../../../support/memory-world.ts';

const KEY = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE${'a'.repeat(42)}`;
/** Any characters; fast-check's own table of them takes seconds to make. */
const anyText = fc
  .array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 8 })
  .map(codes =>
    String.fromCodePoint(...codes.map(code => (code >= 0xd800 && code < 0xe000 ? 0x2028 : code))),
  );
const vm = { id: uuid(7), name: 'Web 1' };

describe('the seed of a cloud image', () => {
  it('says user, keys and packages, and who the machine is', () => {
    const seed = seedOf(vm, {
      user: 'ann',
      sshKeys: [`${KEY} ann@home: #1 "x"`],
      packages: ['nginx', '1.0'],
    });
    expect(seed['user-data'].startsWith('#cloud-config\n')).toBe(true);
    expect(load(seed['user-data'])).toEqual({
      users: [
        {
          name: 'ann',
          lock_passwd: true,
          shell: '/bin/bash',
          sudo: 'ALL=(ALL) NOPASSWD:ALL',
          ssh_authorized_keys: [`${KEY} ann@home: #1 "x"`],
        },
      ],
      package_update: true,
      packages: ['nginx', '1.0'],
    });
    expect(load(seed['meta-data'])).toEqual({ 'instance-id': uuid(7), 'local-hostname': 'web-1' });
  });

  it('holds any text as itself: no line, list, number, date or yes comes of it', () => {
    const surprises = [
      'yes',
      'no',
      '1e3',
      '0x1F',
      '2026-01-01',
      '~',
      '',
      '- a',
      'a: b',
      '"',
      '\\',
      '\n- x',
      '\u0085',
    ];
    const text = fc.oneof(fc.constantFrom(...surprises), anyText, fc.string());
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 6 }), words => {
        const lines = words.map(word => `- ${yamlString(word)}`);
        expect(lines.join('')).toMatch(/^[ -~]*$/);
        expect(load(lines.join('\n'))).toEqual(words);
      }),
    );
  });

  it('refuses what is no user, no key and no package', () => {
    const good = { user: 'ann', sshKeys: [KEY], packages: ['nginx'] };
    expect(cloudInitSchema.safeParse(good).success).toBe(true);
    for (const change of [
      { user: 'root\nusers: []' },
      { user: '-ann' },
      { user: '' },
      { sshKeys: [`${KEY}\n${KEY}`] },
      { sshKeys: [`command="rm -rf /" ${KEY}`] },
      { sshKeys: ['-----BEGIN OPENSSH PRIVATE KEY-----'] },
      { packages: ['--allow-unauthenticated'] },
      { packages: ['a b'] },
      { runcmd: ['reboot'] },
    ])
      expect(cloudInitSchema.safeParse({ ...good, ...change }).success, JSON.stringify(change)).toBe(false);
  });

  it('makes a host name of any name', () => {
    expect(['Büro PC', 'a'.repeat(80), '数据库', '-x-'].map(hostNameOf)).toEqual([
      'buro-pc',
      'a'.repeat(63),
      'vm',
      'x',
    ]);
    fc.assert(
      fc.property(anyText, name => {
        expect(hostNameOf(name)).toMatch(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/);
      }),
    );
  });
});
