// The frame around a console: says when the console owns the keyboard, and covers it while nothing is open.
import type { RefObject } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { ErrorWords, Notice } from '../ui/Notice.tsx';

export type ScreenState = 'opening' | 'open' | 'lost';

interface Shown {
  readonly state: ScreenState;
  readonly error: ErrorBody | null;
  readonly reopen: () => void;
  readonly connecting: string;
  readonly lost: string;
}

export function Frame(props: {
  readonly frame: RefObject<HTMLElement | null>;
  readonly host: RefObject<HTMLDivElement | null>;
  readonly label: string;
  readonly hasKeyboard: boolean;
  readonly onKeyboard: (has: boolean) => void;
  readonly screen: Shown;
}) {
  const { text } = useSpeech();
  const { state, error, reopen, connecting, lost } = props.screen;
  return (
    <section
      ref={props.frame}
      className={`console-screen ${props.hasKeyboard ? 'keyboard' : ''}`}
      aria-label={props.label}
      tabIndex={-1}
      onFocus={event => props.onKeyboard(event.target !== props.frame.current)}
      onBlur={() => props.onKeyboard(false)}
    >
      <div ref={props.host} className="console-host" />
      {state === 'open' ? null : (
        <div className="console-cover">
          {error !== null ? (
            <Notice tone="bad" title={lost}>
              <ErrorWords body={error} />
            </Notice>
          ) : (
            <p role="status">{state === 'opening' ? connecting : lost}</p>
          )}
          {state === 'lost' ? <Button onPress={reopen}>{text.console.reopen}</Button> : null}
        </div>
      )}
    </section>
  );
}
