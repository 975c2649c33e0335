// An error in the reader's language and place. Pure. A service speaks English sentences made for the terminal too: a
// language of its own says what the code means and shows the service's words beside it; and what to do names what this
// window has, not a command line.
import type { ErrorBody, ErrorCode } from '../../shared/errors.ts';

export interface ErrorText {
  readonly what: string;
  readonly safe: string;
  readonly todo: string;
}
export type ErrorData = NonNullable<ErrorBody['data']>;
export interface ErrorDictionary {
  /** Null: the service speaks this language itself. */
  readonly own: Readonly<Record<ErrorCode, ErrorText | ((data: ErrorData) => ErrorText)>> | null;
  /** Said instead of a command line. */
  readonly here: Partial<Record<ErrorCode, string>>;
  /** For a command line of a code that has no words of its own. */
  readonly elsewhere: string;
}

const COMMAND_LINE = /\bebb [a-z]|`npm /;

export function errorWords(
  body: ErrorBody,
  { own, here, elsewhere }: ErrorDictionary,
): ErrorText & { readonly original: string | null } {
  if (own === null) {
    const todo = COMMAND_LINE.test(body.todo) ? (here[body.code] ?? elsewhere) : body.todo;
    return { what: body.what, safe: body.safe, todo, original: null };
  }
  const text = own[body.code];
  const words = typeof text === 'function' ? text(body.data ?? {}) : text;
  return { ...words, original: [body.what, body.safe, body.todo].filter(Boolean).join(' ') };
}

/** In one line, where a page with the rest is a press away. */
export function errorLine(body: ErrorBody, dictionary: ErrorDictionary): string {
  const { what, safe } = errorWords(body, dictionary);
  return [what, safe].filter(Boolean).join(' ');
}
