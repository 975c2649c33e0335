// A field for an amount of memory: "2", "2.5", "512 MiB". Commits on Enter or when left; Esc restores.
import { useState } from 'react';
import { GIB_KIB, MIB_KIB } from '../../shared/units.ts';
import { parseAmount } from '../view/memory-scale.ts';

const typedAmount = (kib: number): { text: string; unit: 'GiB' | 'MiB' } =>
  kib > 0 && kib < GIB_KIB
    ? { text: String(Math.round(kib / MIB_KIB)), unit: 'MiB' }
    : { text: String(Math.round((kib / GIB_KIB) * 100) / 100), unit: 'GiB' };

export function AmountField(props: {
  readonly label: string;
  /** Null: no amount is set; see onClear. */
  readonly kib: number | null;
  readonly isDisabled?: boolean;
  readonly describedBy?: string | undefined;
  readonly isInvalid?: boolean;
  /** Null: what was typed is no amount. */
  readonly onCommit: (kib: number | null) => void;
  /** Set where an empty field has a meaning: that no amount is asked for. */
  readonly onClear?: () => void;
}) {
  const shown = props.kib === null ? { text: '', unit: 'GiB' as const } : typedAmount(props.kib);
  const [typed, setTyped] = useState<string | null>(null);
  const commit = (): void => {
    if (typed === null) return;
    setTyped(null);
    if (typed.trim() === '' && props.onClear !== undefined) props.onClear();
    else if (typed.trim() !== shown.text) props.onCommit(parseAmount(typed, shown.unit));
  };
  return (
    <span className={`amount ${props.isInvalid === true ? 'invalid' : ''}`}>
      <input
        aria-label={`${props.label} (${shown.unit})`}
        aria-describedby={props.describedBy}
        aria-invalid={props.isInvalid === true}
        disabled={props.isDisabled}
        inputMode="decimal"
        value={typed ?? shown.text}
        onChange={event => setTyped(event.target.value.slice(0, 20))}
        onBlur={commit}
        onKeyDown={event => {
          if (event.key === 'Enter') commit();
          if (event.key === 'Escape') setTyped(null);
        }}
      />
      <span aria-hidden>{shown.unit}</span>
    </span>
  );
}
