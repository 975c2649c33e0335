// The help pages, inside the window they are about: no other window, no network.
import { useEffect, useState } from 'react';
import { useSpeech } from '../i18n/text.ts';
import { goTo } from '../state/navigation.ts';
import { type Block, type Inline, parseMarkdown } from './markdown.ts';
import { HELP_PAGES, loadHelp, type HelpPage as Page } from './pages.ts';

/** A text does not change while it is shown, so its place in the list is its key. */
const keyed = <T,>(values: readonly T[]): { readonly key: string; readonly value: T }[] =>
  values.map((value, index) => ({ key: String(index), value }));

function Words(props: { readonly inlines: readonly Inline[] }) {
  return keyed(props.inlines).map(({ key, value }) => {
    switch (value.kind) {
      case 'strong':
        return <strong key={key}>{value.text}</strong>;
      case 'code':
        return <code key={key}>{value.text}</code>;
      case 'link':
        return (
          <a key={key} href={value.hash}>
            {value.text}
          </a>
        );
      default:
        return <span key={key}>{value.text}</span>;
    }
  });
}

function Table(props: { readonly rows: readonly (readonly (readonly Inline[])[])[] }) {
  const [head, ...rows] = keyed(props.rows).map(({ key, value }) => ({ key, cells: keyed(value) }));
  return (
    // A wide table scrolls sideways, also with the keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a place to scroll must be reached
    <div className="help-table" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {head?.cells.map(({ key, value }) => (
              <th key={key} scope="col">
                <Words inlines={value} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row.key}>
              {row.cells.map(({ key, value }) => (
                <td key={key}>
                  <Words inlines={value} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Shown(props: { readonly block: Block }) {
  const { block } = props;
  switch (block.kind) {
    case 'heading':
      return block.level === 1 ? <h1>{block.text}</h1> : <h2>{block.text}</h2>;
    case 'paragraph':
      return (
        <p>
          <Words inlines={block.inlines} />
        </p>
      );
    case 'list':
      return (
        <ul>
          {keyed(block.items).map(({ key, value }) => (
            <li key={key}>
              <Words inlines={value} />
            </li>
          ))}
        </ul>
      );
    case 'code':
      return (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a place to scroll must be reached
        <pre tabIndex={0}>
          <code>{block.text}</code>
        </pre>
      );
    case 'table':
      return <Table rows={block.rows} />;
  }
}

export function HelpPage(props: { readonly page: Page }) {
  const { text, language } = useSpeech();
  const { page } = props;
  const [blocks, setBlocks] = useState<readonly Block[] | null>(null);
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    let isHere = true;
    setMissing(false);
    loadHelp(page, language).then(
      found => isHere && setBlocks(parseMarkdown(found)),
      () => isHere && setMissing(true),
    );
    return () => {
      isHere = false;
    };
  }, [page, language]);
  return (
    <div className="page help">
      <nav className="help-nav" aria-label={text.help.title}>
        {HELP_PAGES.map(other => (
          <button
            key={other}
            type="button"
            aria-current={other === page ? 'page' : undefined}
            onClick={() => goTo({ kind: 'help', page: other })}
          >
            {text.help.pages[other]}
          </button>
        ))}
      </nav>
      <article lang={page === 'architecture' || page === 'licences' ? 'en' : language}>
        {isMissing ? <p role="alert">{text.help.missing}</p> : null}
        {keyed(blocks ?? []).map(({ key, value }) => (
          <Shown key={key} block={value} />
        ))}
      </article>
    </div>
  );
}
