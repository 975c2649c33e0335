// The English of how a history is looked at.
export const enWindow = {
  historyView: {
    filterLabel: 'Points shown',
    filters: { all: 'All', named: 'Named', pinned: 'Pinned' },
    shown: (count: number) => `${count} ${count === 1 ? 'point' : 'points'} shown`,
    in: 'Nearer',
    out: 'Farther',
  },
};
