// The ledger as sentences, newest first: why memory moved (M7). VM names in a sentence stand out.
import { type ReactNode, useMemo } from 'react';
import type { LedgerEntry } from '../../shared/memory.ts';
import { useSpeech } from '../i18n/text.ts';
import { useVms } from '../ui/hooks.ts';
import { formatClock, formatMoment } from '../view/format.ts';

/** The sentence with every VM name that stands as a whole word in bold. */
function withNames(sentence: string, names: readonly string[]): ReactNode[] {
  if (names.length === 0) return [sentence];
  const escaped = names.map(name => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const parts = sentence.split(
    new RegExp(`(?<![\\p{L}\\p{N}-])(${escaped.join('|')})(?![\\p{L}\\p{N}-])`, 'u'),
  );
  // biome-ignore lint/suspicious/noArrayIndexKey: parts of one fixed sentence
  return parts.map((part, index) => (index % 2 === 1 ? <b key={index}>{part}</b> : part));
}

export function Ledger(props: {
  readonly entries: readonly LedgerEntry[];
  readonly empty: string;
  readonly limit: number;
  /** The entries span days, so their times carry the day. */
  readonly isLong?: boolean;
}) {
  const { text, language } = useSpeech();
  const vms = useVms();
  const names = useMemo(() => vms.map(vm => vm.spec.name).sort((a, b) => b.length - a.length), [vms]);
  if (props.entries.length === 0) return <p className="quiet">{props.empty}</p>;
  return (
    <ol className={props.isLong === true ? 'ledger long' : 'ledger'}>
      {props.entries.slice(0, props.limit).map(entry => (
        <li key={entry.seq}>
          <time dateTime={new Date(entry.at).toISOString()} title={formatMoment(entry.at, language)}>
            {props.isLong === true ? formatMoment(entry.at, language) : formatClock(entry.at, language)}
          </time>
          <div>
            {entry.result === 'slow' || entry.result === 'refused' ? (
              <span className="chip warn">{text.memory.results[entry.result]}</span>
            ) : null}
            {withNames(text.spoken(entry.text), names)}
          </div>
        </li>
      ))}
    </ol>
  );
}
