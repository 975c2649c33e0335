// Commands about the audit and support, as data.
import { row } from '../words.ts';
import { VM } from './common.ts';

const YEAR_S = 366 * 86_400;

export const AUDIT_ROWS = {
  'audit show': row({
    help: 'Who changed what, newest first',
    arguments: [{ ...VM, optional: true }],
    options: {
      limit: { kind: 'count', least: 1, most: 10_000, default: '50', doc: 'How many' },
      before: {
        kind: 'count',
        least: 1,
        most: Number.MAX_SAFE_INTEGER,
        value: 'RECORD',
        doc: 'Only records older than that one',
      },
      action: { kind: 'text', default: '', doc: 'Only actions that begin so: memory, moment.delete' },
      outcome: {
        kind: 'choice',
        choices: ['begun', 'done', 'refused', 'denied', 'failed', 'cancelled', 'unknown'],
        doc: 'Only those that ended so',
      },
      all: { kind: 'flag', doc: 'Also the beginning of what has ended' },
    },
  }),
  'audit export': row({
    help: 'Write the records as they stand in the files, oldest first, a line each',
    arguments: [],
    options: {
      since: {
        kind: 'span',
        least: 1,
        most: YEAR_S,
        doc: 'Only what is not older: 7d; without it all there are',
      },
    },
  }),
  'audit verify': row({
    help: 'Say whether a record was changed, removed, moved or cut off, and which; a file is checked without the service',
    arguments: [
      { name: 'FILE', kind: 'file', optional: true, doc: 'What was exported, or - for standard input' },
    ],
    options: {
      head: {
        kind: 'text',
        value: 'RECORD:HASH',
        doc: 'What the newest record was when it was last written down elsewhere',
      },
    },
  }),
};
