// Commands about memory, as data.
import { row } from '../words.ts';
import { VM } from './common.ts';

const RANGE = {
  min: { kind: 'memory', doc: 'What it never goes below' },
  max: { kind: 'memory', doc: 'What it never goes above' },
} as const;

export const MEMORY_ROWS = {
  'mem show': row({
    help: 'Ranges, targets and what guests really have',
    arguments: [{ ...VM, optional: true }],
    options: {},
  }),
  'mem set': row({
    help: 'Set minimum and maximum, weight, and whether it is balanced; a running VM is replanned at once',
    arguments: [VM],
    options: {
      ...RANGE,
      weight: {
        kind: 'count',
        least: 1,
        most: 10_000,
        doc: 'Its share beside others where memory is short; 100 is usual',
      },
      balance: { kind: 'choice', choices: ['on', 'off'], doc: 'Whether its memory moves at all' },
    },
    groups: [
      {
        rule: 'some',
        of: ['min', 'max', 'weight', 'balance'],
        otherwise: 'Say what to set: --min, --max, --weight or --balance.',
      },
    ],
  }),
  'mem try': row({
    help: 'Set minimum and maximum for a while; then they are what they were, unless kept',
    arguments: [VM],
    options: { ...RANGE, for: { kind: 'span', least: 5, most: 600, default: '60s', doc: 'How long' } },
    groups: [{ rule: 'some', of: ['min', 'max'], otherwise: '--min or --max is missing.' }],
  }),
  'mem keep': row({ help: 'Keep what is being tried', arguments: [VM], options: {} }),
  'mem undo': row({
    help: 'Take back the last change of minimum and maximum',
    arguments: [VM],
    options: {},
  }),
  'mem policy': row({
    help: 'What all VMs, and each one, may use, and whether by need or all at one ratio',
    arguments: [],
    options: {
      reserve: { kind: 'memory', doc: 'What VMs never get of this computer' },
      budget: { kind: 'memory', or: ['none'], doc: 'What all VMs may use; none: all but the reserve' },
      cap: { kind: 'memory', or: ['none'], doc: 'The largest maximum a VM may have' },
      mode: {
        kind: 'choice',
        choices: ['need', 'ratio'],
        doc: 'Memory goes where it is needed, or everyone gets the same share of its range',
      },
    },
  }),
  'mem why': row({
    help: 'Why memory moved, newest first',
    arguments: [{ ...VM, optional: true }],
    options: {
      limit: {
        kind: 'count',
        least: 1,
        most: 1000,
        doc: 'How many; without it 20, and 200 (the most) with --replay',
      },
      replay: { kind: 'flag', doc: 'Make those plans again and compare' },
    },
  }),
  'mem history': row({
    help: 'Target, actual and in-use memory of a VM over the last minutes',
    arguments: [VM],
    options: { since: { kind: 'span', least: 1, most: 600, default: '10m', doc: 'How far back' } },
  }),
  'mem free': row({
    help: 'VMs give back until so much of this computer is free; 0 ends that',
    arguments: [{ name: 'SIZE', kind: 'memory', or: ['0'], doc: 'How much is to be free' }],
    options: {
      for: { kind: 'span', least: 10, most: 3600, default: '10m', doc: 'How long they leave it free' },
    },
  }),
};
