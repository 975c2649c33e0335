// The English texts around the services' own sentences, and of the ways to view a history.
import { enErrors } from './en-errors.ts';

export const enWindow = {
  errors: enErrors,
  /** A service's sentence in this language. */
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
