// Commands about VMs, as data.
import { row } from '../words.ts';
import { DELETED, NEW_NAME, POINT, VM } from './common.ts';
import { FIRMWARE, FORWARD, GROUP, NETWORK, NO_TPM, NOTES, TPM } from './setup.ts';

export const VM_ROWS = {
  'vm create': row({
    help: 'Create a VM from the sample, an installer, an existing disk or nothing',
    arguments: [NEW_NAME],
    options: {
      sample: { kind: 'flag', doc: 'From the sample: a small Linux guest' },
      iso: { kind: 'file', doc: 'From an installer image' },
      disk: { kind: 'file', doc: 'From an existing disk, which is copied; the original is not touched' },
      empty: { kind: 'flag', doc: 'With an empty disk' },
      format: {
        kind: 'choice',
        choices: ['vhd', 'qcow2', 'raw', 'vhdx', 'vmdk'],
        doc: 'Of the existing disk; Ebb never guesses it',
      },
      history: { kind: 'flag', doc: 'A point for each VHD of the chain of the existing disk' },
      os: {
        kind: 'choice',
        choices: ['linux', 'windows', 'windows-11', 'bsd', 'other'],
        default: 'linux',
        doc: 'What runs in it (windows: 10 and before); says what the rest is where that is left out',
      },
      'disk-size': { kind: 'size', doc: 'Of the new disk; of the sample 256M' },
      'mem-min': {
        kind: 'memory',
        doc: 'What it never goes below; without it a quarter of the maximum, of Windows half',
      },
      'mem-max': { kind: 'memory', doc: 'What it never goes above; of the sample 512M' },
      cpus: { kind: 'count', least: 1, most: 64, doc: 'Virtual processors; of the sample 1' },
      firmware: FIRMWARE,
      tpm: TPM,
      'no-tpm': NO_TPM,
      network: NETWORK,
      'no-balloon': { kind: 'flag', doc: 'Without a balloon: its memory stays as it is' },
      forward: FORWARD,
      group: GROUP,
      notes: NOTES,
      'cloud-user': {
        kind: 'text',
        value: 'NAME',
        doc: 'Of a cloud image: the user it makes at its first start, who may do everything',
      },
      'cloud-key': { kind: 'file', many: true, doc: 'A public SSH key of that user' },
      'cloud-package': {
        kind: 'text',
        value: 'NAME',
        many: true,
        doc: 'What a cloud image installs at its first start',
      },
    },
    groups: [
      {
        rule: 'one',
        of: ['sample', 'iso', 'disk', 'empty'],
        otherwise: 'Say what it starts from: --sample, --iso FILE, --disk FILE or --empty.',
      },
      { rule: 'most-one', of: ['tpm', 'no-tpm'] },
    ],
    isTask: true,
  }),
  'vm list': row({ help: 'All VMs', arguments: [], options: {} }),
  'vm show': row({ help: 'One VM', arguments: [VM], options: {} }),
  'vm screenshot': row({
    help: 'Write what its screen shows as a PNG',
    arguments: [VM, { name: 'FILE', kind: 'file', doc: 'The new file' }],
    options: { point: { kind: 'point', value: 'POINT', doc: 'What it showed at this point' } },
  }),
  'vm serial': row({
    help: 'Its serial line in this terminal; Ctrl+] leaves it. What would command the terminal is left out',
    arguments: [VM],
    options: {},
    alias: 'serial',
  }),
  'vm rename': row({ help: 'Give a VM another name', arguments: [VM, NEW_NAME], options: {} }),
  'vm start': row({
    help: 'Start it, or resume it from suspend',
    arguments: [VM],
    options: {
      preview: { kind: 'flag', doc: 'Only say who would shrink for it, and to what' },
    },
    isTask: true,
  }),
  'vm stop': row({
    help: 'Shut the guest down',
    arguments: [VM],
    options: { force: { kind: 'flag', doc: 'End it like pulling the plug' } },
    isTask: true,
  }),
  'vm pause': row({ help: 'Stop its processors; its memory stays', arguments: [VM], options: {} }),
  'vm resume': row({ help: 'Let its processors run again', arguments: [VM], options: {} }),
  'vm reset': row({
    help: 'Press its reset button: what the guest has not written is lost',
    arguments: [VM],
    options: {},
  }),
  'vm suspend': row({
    help: 'Write its memory to disk and free it',
    arguments: [VM],
    options: {},
    isTask: true,
  }),
  'vm delete': row({
    help: 'Move it with all its history to the trash folder',
    arguments: [VM],
    options: {
      yes: {
        kind: 'flag',
        required: 'This deletes the VM and all its points; say --yes.',
        doc: 'It is meant',
      },
    },
    isTask: true,
  }),
  'vm trash': row({
    help: 'Deleted VMs that can be taken back, and when each goes for good',
    arguments: [],
    options: {},
  }),
  'vm restore': row({
    help: 'Take a deleted VM back, with all its points and settings',
    arguments: [DELETED],
    options: {},
  }),
  'vm clone': row({
    help: 'Create a VM from a point of another: its disks copied in full',
    arguments: [VM, POINT, NEW_NAME],
    options: {
      linked: { kind: 'flag', doc: 'At once, sharing blocks, where the file system can' },
    },
    isTask: true,
  }),
  'vm add': row({
    help: 'Take over the folder of a VM that an Ebb made, here or elsewhere, with its points; without saved memory',
    arguments: [{ name: 'FOLDER', kind: 'file', doc: 'The folder vms/ID of the other data folder' }],
    options: {
      move: {
        kind: 'flag',
        doc: 'Move it instead of copying it, where it lies on the disk of the data folder',
      },
    },
    isTask: true,
  }),
  'vm insert': row({
    help: 'Put an ISO into the CD drive of a VM that is off, instead of the one in it; the file is copied',
    arguments: [VM, { name: 'FILE', kind: 'file', doc: 'The ISO: an installer, a rescue CD' }],
    options: {},
    isTask: true,
  }),
  'vm eject': row({
    help: 'Take the installer out of the CD drive of a VM that is off, and remove its copy',
    arguments: [VM],
    options: {},
  }),
  'vm verify': row({
    help: 'Compare its whole history with the checksums recorded, and say which points damage touches',
    arguments: [VM],
    options: {},
    isTask: true,
  }),
  'vm compact': row({
    help: 'Give back to the host what its points hold for nothing; none of them changes, and it may run meanwhile',
    arguments: [VM],
    options: {},
    isTask: true,
  }),
  'vm rescue': row({
    help: 'Its timeline is lost: make it anew from the headers of its disk images, which are not changed',
    arguments: [VM],
    options: { replace: { kind: 'flag', doc: 'Also where the timeline can be read' } },
  }),
  'vm settle': row({
    help: 'Let its history be tidied, pause that, or turn back what is under way',
    arguments: [
      VM,
      { name: 'ORDER', kind: 'choice', choices: ['run', 'pause', 'undo'], doc: 'What the tidying does' },
    ],
    options: {},
    alias: 'settle',
  }),
  'disk grow': row({
    help: 'Make a disk larger, with its history, also while the VM runs; its points stay as large as they were',
    arguments: [VM, { name: 'SIZE', kind: 'size', doc: 'What it holds then' }],
    options: {
      disk: { kind: 'disk', value: 'ID', doc: "The beginning of the disk's id; without it the first" },
    },
  }),
};
