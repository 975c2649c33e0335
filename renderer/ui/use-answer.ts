// The service's answer to one question, asked while a component shows it.
import { useEffect, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import { errorBodyOf } from '../api/commands.ts';

export type Answer<T> =
  | { readonly kind: 'asking' }
  | { readonly kind: 'failed'; readonly error: ErrorBody }
  | { readonly kind: 'known'; readonly value: T };

const ASKING = { kind: 'asking' } as const;

/** `question` must name all that `ask` asks: a new one asks anew. `ask` null: nothing is asked. */
export function useAnswer<T>(question: string, ask: (() => Promise<T>) | null): Answer<T> {
  const [answer, setAnswer] = useState<{ readonly to: string; readonly found: Answer<T> } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the question stands for what is asked
  useEffect(() => {
    let isWanted = true;
    const put = (found: Answer<T>): void => {
      if (isWanted) setAnswer({ to: question, found });
    };
    ask?.().then(
      value => put({ kind: 'known', value }),
      (fault: unknown) => put({ kind: 'failed', error: errorBodyOf(fault) }),
    );
    return () => {
      isWanted = false;
    };
  }, [question]);
  // An answer to an earlier question does not count.
  return answer?.to === question ? answer.found : ASKING;
}
