// Parses the part of Markdown that the help pages use into data: headings, paragraphs, lists, tables, code,
// and inside them emphasis, code and links to places of this window. Pure. Anything else is plain text.

export type Inline =
  | { readonly kind: 'text' | 'strong' | 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly hash: string };

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: string }
  | { readonly kind: 'paragraph'; readonly inlines: readonly Inline[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly (readonly (readonly Inline[])[])[] };

const INLINE = /\*\*([^*]+)\*\*|`([^`]+)`|\[([^\]]+)\]\((#[^)]+)\)/g;

export function parseInline(text: string): Inline[] {
  const found: Inline[] = [];
  let at = 0;
  const plain = (to: number): void => {
    if (to > at) found.push({ kind: 'text', text: text.slice(at, to) });
  };
  for (const match of text.matchAll(INLINE)) {
    plain(match.index);
    at = match.index + match[0].length;
    const [, strong, code, link, hash] = match;
    if (strong !== undefined) found.push({ kind: 'strong', text: strong });
    else if (code !== undefined) found.push({ kind: 'code', text: code });
    else found.push({ kind: 'link', text: link ?? '', hash: hash ?? '' });
  }
  plain(text.length);
  return found;
}

const cells = (line: string): Inline[][] =>
  line
    .replace(/^\||\|$/g, '')
    .split('|')
    .map(cell => parseInline(cell.trim()));

/** Splits a text at empty lines; a fenced block stays whole. */
function chunks(text: string): string[] {
  return [...text.matchAll(/^```[a-z]*\n[\s\S]*?^```$|(?:^(?!```).+\n?)+/gm)].map(match =>
    match[0].trimEnd(),
  );
}

function block(chunk: string): Block[] {
  const lines = chunk.split('\n');
  const [first = ''] = lines;
  if (first.startsWith('<!--')) return [];
  if (first.startsWith('```')) return [{ kind: 'code', text: lines.slice(1, -1).join('\n') }];
  const heading = /^(#+) (.*)$/.exec(first);
  if (heading !== null) return [{ kind: 'heading', level: heading[1]?.length ?? 1, text: heading[2] ?? '' }];
  if (first.startsWith('- '))
    return [
      {
        kind: 'list',
        items: chunk
          .split(/^- /m)
          .slice(1)
          .map(item => parseInline(joined(item))),
      },
    ];
  if (first.startsWith('|'))
    return [{ kind: 'table', rows: lines.filter(line => !/^\|[ |:-]+\|$/.test(line)).map(cells) }];
  return [{ kind: 'paragraph', inlines: parseInline(joined(chunk)) }];
}

const joined = (lines: string): string => lines.trim().replaceAll(/\s*\n\s*/g, ' ');

export const parseMarkdown = (text: string): Block[] => chunks(text).flatMap(block);
