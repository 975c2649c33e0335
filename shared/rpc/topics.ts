// What a service publishes: state topics keep their newest value, event topics only pass through.
import { assertNever } from '../result.ts';
import type { ContractTable, Payload, TopicName } from './table.ts';

export interface TopicUpdate {
  readonly revision: number;
  readonly payload: unknown;
}
type Listener = (update: TopicUpdate) => void;

interface Entry {
  revision: number;
  latest: TopicUpdate | null;
  readonly listeners: Set<Listener>;
}

/** The hub between a service and its connections. One owner: the service. */
export class Topics<C extends ContractTable> {
  readonly #table: C;
  readonly #entries = new Map<string, Entry>();

  constructor(table: C) {
    this.#table = table;
  }

  publish<T extends TopicName<C>>(topic: T, key: string | null, payload: Payload<C, T>): void {
    const entry = this.#entry(topic, key);
    entry.revision += 1;
    const update: TopicUpdate = { revision: entry.revision, payload };
    const row = this.#table.topics[topic];
    if (row?.kind === 'state') entry.latest = update;
    for (const listener of [...entry.listeners]) listener(update);
  }

  /** Forgets the keyed state of a VM that is gone. */
  forget(topic: TopicName<C>, key: string): void {
    const entry = this.#entry(topic, key);
    entry.latest = null;
    if (entry.listeners.size === 0) this.#entries.delete(`${topic}/${key}`);
  }

  /** The listener gets the newest state at once, then every update. */
  subscribe(topic: string, key: string | null, listener: Listener): () => void {
    const entry = this.#entry(topic, key);
    entry.listeners.add(listener);
    if (entry.latest !== null) listener(entry.latest);
    return () => {
      entry.listeners.delete(listener);
    };
  }

  #entry(topic: string, key: string | null): Entry {
    const name = key === null ? topic : `${topic}/${key}`;
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const made: Entry = { revision: 0, latest: null, listeners: new Set() };
    this.#entries.set(name, made);
    return made;
  }

  kind(topic: string): 'state' | 'event' | null {
    const kind = this.#table.topics[topic]?.kind ?? null;
    switch (kind) {
      case 'state':
      case 'event':
      case null:
        return kind;
      default:
        return assertNever(kind);
    }
  }
}
