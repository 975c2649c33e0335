// M7: the ledger a page at a time, all of it or of one VM; the same from the database and from memory.
import Database from 'better-sqlite3';
import { expect, it } from 'vitest';
import { memoryJournalInMemory, openMemoryJournal } from '../../../../electron/control/memory/journal.ts';
import { uuid } from '../../../support/memory-world.ts';

it.each([
  ['database', () => openMemoryJournal(new Database(':memory:'))],
  ['memory', memoryJournalInMemory],
])('in the %s', (_, open) => {
  const journal = open();
  for (let seq = 1; seq <= 7; seq++) {
    const move = { vmId: uuid(seq % 2), vmName: 'x', fromKib: 1, toKib: 2, kind: 'take' } as const;
    journal.append({ seq, at: seq, cause: 'c', text: 't', moves: [move], result: 'done' }, null);
  }
  const page = (before: number | null, vm: number | null = null) =>
    journal.ledger(vm === null ? null : uuid(vm), 3, before).map(({ seq }) => seq);
  expect([page(null), page(5), page(2), page(1)]).toEqual([[7, 6, 5], [4, 3, 2], [1], []]);
  expect([page(null, 1), page(3, 1)]).toEqual([[7, 5, 3], [1]]);
});
