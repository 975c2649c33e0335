// A VM's setup as data: the options that `vm create` and `vm set` share, and the command `vm set`.
import { row } from '../words.ts';
import { VM } from './common.ts';

export const FIRMWARE = {
  kind: 'choice',
  choices: ['bios', 'uefi', 'uefi-secure'],
  doc: 'What it starts with; without it what its kind of system wants',
} as const;
export const NETWORK = {
  kind: 'choice',
  choices: ['user', 'isolated', 'none'],
  doc: 'Behind this computer (user), reached by its port forwards alone (isolated), or none',
} as const;
export const FORWARD = {
  kind: 'text',
  value: 'PROTOCOL:HOST:GUEST',
  many: true,
  doc: 'A port of this computer leads to one of the guest: tcp:2222:22',
} as const;
export const GROUP = { kind: 'text', value: 'NAME', doc: 'VMs of one group stand together' } as const;
export const NOTES = { kind: 'text', value: 'TEXT', doc: 'What there is to remember about it' } as const;
export const TPM = { kind: 'flag', doc: 'With a TPM' } as const;
export const NO_TPM = { kind: 'flag', doc: 'Without a TPM' } as const;

export const SETUP_ROWS = {
  'vm set': row({
    help: 'Change how a VM is set up; what runs keeps its machine until its next start',
    arguments: [VM],
    options: {
      cpus: { kind: 'count', least: 1, most: 64, doc: 'Virtual processors' },
      'cpu-cap': {
        kind: 'count',
        value: 'PERCENT',
        least: 1,
        most: 99,
        doc: "At most so much of all this computer's processors, from now on",
      },
      'no-cpu-cap': { kind: 'flag', doc: 'As much of them as it wants' },
      group: GROUP,
      notes: NOTES,
      network: NETWORK,
      forward: {
        ...FORWARD,
        doc: 'Instead of those it has: a port of this computer leads to one of the guest',
      },
      'no-forwards': { kind: 'flag', doc: 'None any more' },
      autostart: {
        kind: 'count',
        value: 'ORDER',
        least: 1,
        most: 999,
        doc: 'It starts when this computer has started; lower orders first',
      },
      'autostart-delay': {
        kind: 'span',
        least: 0,
        most: 3600,
        doc: 'How long it waits after the one before it',
      },
      'no-autostart': { kind: 'flag', doc: 'It does not start by itself' },
      firmware: { ...FIRMWARE, doc: 'What it starts with; while it is off' },
      tpm: TPM,
      'no-tpm': NO_TPM,
      devices: {
        kind: 'choice',
        choices: ['virtio', 'emulated'],
        doc: 'Fast ones that need drivers, or such as every system knows; while it is off',
      },
      'newest-machine': {
        kind: 'flag',
        doc: "The newest hardware this computer's QEMU has, instead of what it was first started with",
      },
    },
    groups: [
      { rule: 'most-one', of: ['cpu-cap', 'no-cpu-cap'] },
      { rule: 'most-one', of: ['forward', 'no-forwards'] },
      { rule: 'most-one', of: ['autostart', 'no-autostart'] },
      { rule: 'most-one', of: ['autostart-delay', 'no-autostart'] },
      { rule: 'most-one', of: ['tpm', 'no-tpm'] },
    ],
  }),
};
