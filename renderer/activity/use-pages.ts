// Loads a long log a page at a time, newest first. Another question (a new filter) drops earlier pages.
import { useCallback, useEffect, useRef, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import { Fault } from '../../shared/result.ts';
import { useService } from '../ui/hooks.ts';

export interface Page<T> {
  readonly entries: readonly T[];
  /** Where the next page begins; null: there are no older entries. */
  readonly next: number | null;
}
interface Pages<T> extends Page<T> {
  readonly isLoading: boolean;
  readonly error: ErrorBody | null;
}

/** A new question must come as a new `ask` function: its identity tells questions apart. */
export function usePages<T>(ask: (before: number | null) => Promise<Page<T>>) {
  const connection = useService(state => state.connection);
  const [pages, setPages] = useState<Pages<T>>({ entries: [], next: null, isLoading: true, error: null });
  const question = useRef(0);
  const load = useCallback(
    async (before: number | null): Promise<void> => {
      const mine = before === null ? ++question.current : question.current;
      setPages(known => ({ ...known, isLoading: true, error: null }));
      try {
        const page = await ask(before);
        if (mine !== question.current) return;
        setPages(known => ({
          entries: before === null ? page.entries : [...known.entries, ...page.entries],
          next: page.next,
          isLoading: false,
          error: null,
        }));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        if (mine === question.current) setPages(known => ({ ...known, isLoading: false, error: error.body }));
      }
    },
    [ask],
  );
  useEffect(() => {
    if (connection === 'connected') void load(null);
  }, [load, connection]);
  return { ...pages, reload: () => load(null), older: () => load(pages.next) };
}
