// A TimelineStore in memory whose commits are atomic and durable at once: what the crash simulation gives the
// engine in place of SQLite.
import type { Change, Row, RowKind, TimelineStore } from './state.ts';

export class MemoryStore implements TimelineStore {
  readonly #rows: Map<string, { readonly kind: RowKind; readonly body: string }>;
  /** The simulation may cut the power before a commit. */
  beforeCommit: () => void = () => undefined;

  constructor(from?: MemoryStore) {
    this.#rows = new Map(from === undefined ? [] : from.#rows);
  }

  rows<K extends RowKind>(kind: K): Row<K>[] {
    return [...this.#rows.values()]
      .filter(row => row.kind === kind)
      .map(row => JSON.parse(row.body) as Row<K>);
  }

  commit(changes: readonly Change[]): void {
    this.beforeCommit();
    for (const change of changes) {
      if ('drop' in change) this.#rows.delete(`${change.drop}/${change.id}`);
      else
        this.#rows.set(`${change.put}/${change.row.id}`, {
          kind: change.put,
          body: JSON.stringify(change.row),
        });
    }
  }

  close(): void {
    // Nothing to give back: the rows are what survives.
  }

  /** What another engine finds when this one dies now. */
  copy(): MemoryStore {
    return new MemoryStore(this);
  }
}
