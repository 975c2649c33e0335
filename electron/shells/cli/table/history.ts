// Commands about automatic history, as data.
import { row } from '../words.ts';
import { VM } from './common.ts';

const KEEP = (doc: string, most: number, least = 0) => ({ kind: 'count', least, most, doc }) as const;

export const HISTORY_ROWS = {
  'history show': row({
    help: 'When automatic points are taken and how long they are kept, the next, and what became of the last',
    arguments: [VM],
    options: {},
  }),
  'history set': row({
    help: 'Set when automatic points are taken and how long they are kept; what is not said stays',
    arguments: [VM],
    options: {
      on: { kind: 'flag', doc: 'Take automatic points' },
      off: { kind: 'flag', doc: 'Take none, and drop none' },
      every: {
        kind: 'choice',
        choices: ['15m', '30m', '1h', '2h', '4h', '8h', '12h', '24h'],
        doc: 'How often',
      },
      at: { kind: 'text', value: 'HH:MM', doc: 'Local time of one of them; the others stand around it' },
      'min-changed': { kind: 'size', doc: 'Skip it where less was written since the newest point' },
      'on-change': {
        kind: 'size',
        or: ['none'],
        doc: 'Take one as soon as so much was written, also between the times',
      },
      battery: KEEP(
        'Percent: below it, on battery, points and settling wait. 100: until it is plugged in',
        100,
      ),
      'keep-hours': KEEP('So many last hours keep all automatic points', 8784, 1),
      'keep-days': KEEP('So many days that have any keep their newest', 366),
      'keep-weeks': KEEP('So many weeks', 520),
      'keep-months': KEEP('So many months', 240),
      quota: { kind: 'size', or: ['none'], doc: 'What points besides the newest image may take' },
    },
    groups: [
      { rule: 'most-one', of: ['on', 'off'] },
      {
        rule: 'some',
        of: [
          'on',
          'off',
          'every',
          'at',
          'min-changed',
          'on-change',
          'battery',
          'keep-hours',
          'keep-days',
          'keep-weeks',
          'keep-months',
          'quota',
        ],
        otherwise: 'Say what to set: --on, --off, --every, --keep-days, --quota …',
      },
    ],
  }),
  'history preview': row({
    help: 'The next times, which automatic points would be dropped now, what that frees, and how the quota stands',
    arguments: [VM],
    options: {},
  }),
  'history clean': row({
    help: 'Put the oldest points that nothing needs into the trash for a week',
    arguments: [VM],
    options: {
      oldest: { kind: 'count', least: 1, most: 5000, doc: 'So many' },
      free: { kind: 'size', doc: 'As many as it takes to free so much' },
      'also-mine': { kind: 'flag', doc: 'Also points somebody took or named; never one that is pinned' },
      'dry-run': { kind: 'flag', doc: 'Only say which, and what that frees' },
    },
    groups: [{ rule: 'one', of: ['oldest', 'free'], otherwise: 'Say how many: --oldest N, or --free SIZE.' }],
  }),
};
