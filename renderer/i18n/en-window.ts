// The English of what services say, and of how a history is looked at.
import { enErrors } from './en-errors.ts';

export const enWindow = {
  errors: enErrors,
  /** What a service said, in this language. */
  spoken: (sentence: string): string => sentence,
  original: 'In the service’s own words',
  historyView: {
    filterLabel: 'Points shown',
    filters: { all: 'All', named: 'Named', pinned: 'Pinned' },
    shown: (count: number) => `${count} ${count === 1 ? 'point' : 'points'} shown`,
    in: 'Nearer',
    out: 'Farther',
  },
};
