// A tinted notice, not an alarm: what happened, what is safe, one thing to do.
import { CircleCheck, Info, Timer, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import { useSpeech } from '../i18n/text.ts';
import { errorWords } from '../view/error-words.ts';

const SIGNS = {
  warn: TriangleAlert,
  bad: TriangleAlert,
  calm: Info,
  good: CircleCheck,
  trial: Timer,
} as const;

export function Notice(props: {
  /** `trial`: for something that ends by itself. */
  readonly tone: 'warn' | 'bad' | 'calm' | 'good' | 'trial';
  readonly title: string;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
  readonly live?: 'polite' | 'assertive';
}) {
  const Sign = SIGNS[props.tone];
  const role = props.live === 'assertive' ? 'alert' : props.live === 'polite' ? 'status' : undefined;
  return (
    <div className={`notice ${props.tone}`} role={role}>
      <Sign size={18} strokeWidth={1.75} aria-hidden />
      <div className="notice-text">
        <strong>{props.title}</strong>
        {props.children === undefined ? null : <div className="notice-more">{props.children}</div>}
      </div>
      {props.action === undefined ? null : <div className="notice-action">{props.action}</div>}
    </div>
  );
}

/** An error in words: what happened, what is safe, what to do. */
export function ErrorWords(props: { readonly body: ErrorBody }) {
  const { text } = useSpeech();
  const { code, incident } = props.body;
  const { what, safe, todo, original } = errorWords(props.body, text.errors);
  return (
    <>
      <p>{what}</p>
      {safe === '' ? null : <p>{safe}</p>}
      {todo === '' ? null : <p className="todo">{todo}</p>}
      {original === null ? null : (
        <details>
          <summary>{text.original}</summary>
          <p lang="en">{original}</p>
        </details>
      )}
      {incident === undefined ? null : (
        <p className="code">
          {code} · {incident}
        </p>
      )}
    </>
  );
}
