// Makes what a cloud image asks for at its first start (cloud-init's NoCloud), as two files. Pure. Every word
// that a person gave becomes a double-quoted string in which only letters, digits and plain signs stand for
// themselves: nothing in it can end the string, begin a list, or be taken for a number, a date or a yes.
import type { VmSpec } from '../../../shared/vm.ts';
import type { CloudInit } from '../../../shared/vm-setup.ts';

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = (digits: number): string => code.toString(16).padStart(digits, '0');
  return code > 0xffff ? `\\U${hex(8)}` : code > 0xff ? `\\u${hex(4)}` : `\\x${hex(2)}`;
}

export const yamlString = (text: string): string => `"${text.replace(/[^ -~]|["\\]/gu, escaped)}"`;

/** A name that a host may have: the letters and digits of the VM's name. */
export function hostNameOf(name: string): string {
  const words =
    name
      .normalize('NFKD')
      .replace(/\p{M}/gu, '')
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  return words.join('-').slice(0, 63).replace(/-$/, '') || 'vm';
}

export const SEED_FILES = ['user-data', 'meta-data'] as const;
export type Seed = Readonly<Record<(typeof SEED_FILES)[number], string>>;

export function seedOf(
  { id, name }: Pick<VmSpec, 'id' | 'name'>,
  { user, sshKeys, packages }: CloudInit,
): Seed {
  const list = (indent: string, words: readonly string[]): string[] =>
    words.map(word => `${indent}- ${yamlString(word)}`);
  const userData = [
    '#cloud-config',
    'users:',
    `  - name: ${yamlString(user)}`,
    // The user has no password: the keys are the only way in.
    '    lock_passwd: true',
    '    shell: "/bin/bash"',
    '    sudo: "ALL=(ALL) NOPASSWD:ALL"',
    ...(sshKeys.length === 0 ? [] : ['    ssh_authorized_keys:', ...list('      ', sshKeys)]),
    ...(packages.length === 0 ? [] : ['package_update: true', 'packages:', ...list('  ', packages)]),
  ];
  // To cloud-init another id is another machine, on which it would do all this again.
  const metaData = [`instance-id: ${yamlString(id)}`, `local-hostname: ${yamlString(hostNameOf(name))}`];
  return { 'user-data': `${userData.join('\n')}\n`, 'meta-data': `${metaData.join('\n')}\n` };
}
