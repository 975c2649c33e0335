// Puts an error into the reader's language and place. Pure. The services' sentences are English and also
// meant for the terminal. Another language has its own words for each code and shows the service's words
// beside them. Advice that names a command line is replaced with what this window has.
import type { ErrorBody, ErrorCode } from '../../shared/errors.ts';

export interface ErrorText {
  readonly what: string;
  readonly safe: string;
  readonly todo: string;
}
export type ErrorData = NonNullable<ErrorBody['data']>;
export interface ErrorDictionary {
  /** Words for each code; null: the services speak this language themselves. */
  readonly own: Readonly<Record<ErrorCode, ErrorText | ((data: ErrorData) => ErrorText)>> | null;
  /** Advice for a code, instead of a command line. */
  readonly here: Partial<Record<ErrorCode, string>>;
  /** Advice instead of a command line, for codes not in `here`. */
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

/** The error in one line, for places where a page with the rest is a press away. */
export function errorLine(body: ErrorBody, dictionary: ErrorDictionary): string {
  const { what, safe } = errorWords(body, dictionary);
  return [what, safe].filter(Boolean).join(' ');
}
