// A range as two typed amounts, and advice about it before it is applied.
import { useState } from 'react';
import { type MemoryRange, VM_MIN_KIB } from '../../shared/memory.ts';
import { useSpeech } from '../i18n/text.ts';
import { AmountField } from '../ui/AmountField.tsx';
import { useService } from '../ui/hooks.ts';
import { formatKib } from '../view/format.ts';
import { breaksQuarterRule, mostKib, QUARTER } from '../view/memory-scale.ts';

/** Why a typed range is impossible, in words; null: it is possible. */
export function useRangeProblem(): (range: MemoryRange, changed: 'min' | 'max') => string | null {
  const { text, language } = useSpeech();
  const host = useService(state => state.host);
  return (range, changed) => {
    if (range.maxKib > mostKib(host)) return text.memory.tooLarge(formatKib(mostKib(host), language));
    if (Math.min(range.minKib, range.maxKib) < VM_MIN_KIB) {
      return text.memory.tooSmall(formatKib(VM_MIN_KIB, language));
    }
    if (range.minKib <= range.maxKib) return null;
    return changed === 'min'
      ? text.memory.minAboveMax(formatKib(range.maxKib, language))
      : text.memory.maxBelowMin(formatKib(range.minKib, language));
  };
}

export function RangeFields(props: {
  readonly range: MemoryRange;
  readonly onChange: (range: MemoryRange) => void;
  readonly isLocked?: boolean;
}) {
  const { text } = useSpeech();
  const problemOf = useRangeProblem();
  const [problem, setProblem] = useState<string | null>(null);
  const commit = (which: 'min' | 'max', kib: number | null): void => {
    if (kib === null) return setProblem(text.memory.badAmount);
    const range = { ...props.range, [which === 'min' ? 'minKib' : 'maxKib']: kib };
    const found = problemOf(range, which);
    setProblem(found);
    if (found === null) props.onChange(range);
  };
  return (
    <>
      <span className="pair">
        <span aria-hidden>{text.memory.min}</span>
        <AmountField
          label={text.memory.minThumb}
          kib={props.range.minKib}
          isDisabled={props.isLocked === true}
          onCommit={kib => commit('min', kib)}
        />
      </span>
      <span className="pair">
        <span aria-hidden>{text.memory.max}</span>
        <AmountField
          label={text.memory.maxThumb}
          kib={props.range.maxKib}
          isDisabled={props.isLocked === true}
          onCommit={kib => commit('max', kib)}
        />
      </span>
      {problem === null ? null : (
        <span className="field-error" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}

export function RangeHints(props: { readonly range: MemoryRange; readonly bootKib: number | null }) {
  const { text, language } = useSpeech();
  const { range, bootKib } = props;
  return (
    <>
      {breaksQuarterRule(range) ? (
        <p className="hint warn">
          {text.memory.quarter(formatKib(Math.ceil(range.maxKib / QUARTER), language))}
        </p>
      ) : null}
      {bootKib !== null && bootKib < range.maxKib ? (
        <p className="hint">
          {text.memory.boot(formatKib(bootKib, language))}. {text.memory.aboveBoot}
        </p>
      ) : null}
    </>
  );
}
