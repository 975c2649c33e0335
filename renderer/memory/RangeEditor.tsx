// Slider, number fields and the words around them, over a draft: one command on release, latest reply wins.
import { useEffect, useReducer, useRef, useState } from 'react';
import { type MemoryRange, sameRange, VM_MIN_KIB, type VmMemory } from '../../shared/memory.ts';
import { errorBodyOf } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { showError } from '../state/navigation.ts';
import {
  cancelDrag,
  dragTo,
  published,
  type RangeDraft,
  refused,
  release,
  replied,
  shownRange,
  startDraft,
} from '../state/range-draft.ts';
import { AmountField } from '../ui/AmountField.tsx';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { formatKib } from '../view/format.ts';
import { breaksQuarterRule, memoryScale, mostKib, QUARTER } from '../view/memory-scale.ts';
import { RangeSlider } from './RangeSlider.tsx';

const rangeOf = (memory: VmMemory): MemoryRange => ({ minKib: memory.minKib, maxKib: memory.maxKib });

function useRangeDraft(memory: VmMemory) {
  const { text } = useSpeech();
  const state = useRef<RangeDraft>(startDraft(rangeOf(memory)));
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const set = (next: RangeDraft): void => {
    state.current = next;
    redraw();
  };
  const { minKib, maxKib } = memory;
  useEffect(() => {
    const next = published(state.current, { minKib, maxKib });
    if (next !== state.current) {
      state.current = next;
      redraw();
    }
  }, [minKib, maxKib]);
  const send = (): void => {
    const { state: next, send: order } = release(state.current);
    set(next);
    if (order === null) return;
    call('memory.set-range', { vmId: memory.vmId, ...order.range }).then(
      answer => set(replied(state.current, order.seq, rangeOf(answer))),
      (error: unknown) => {
        set(refused(state.current, order.seq));
        showError(text.memory.saveFailed, errorBodyOf(error));
      },
    );
  };
  return {
    draft: state.current,
    drag: (range: MemoryRange) => set(dragTo(state.current, range)),
    cancel: () => set(cancelDrag(state.current)),
    send,
    setRange: (range: MemoryRange) => {
      set(dragTo(state.current, range));
      send();
    },
  };
}

/** Why a typed range cannot be, in words; null where it can. */
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
          onCommit={kib => commit('min', kib)}
        />
      </span>
      <span className="pair">
        <span aria-hidden>{text.memory.max}</span>
        <AmountField
          label={text.memory.maxThumb}
          kib={props.range.maxKib}
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

export function RangeEditor(props: { readonly memory: VmMemory; readonly budgetKib: number }) {
  const { text, language } = useSpeech();
  const { memory } = props;
  const { draft, drag, cancel, send, setRange } = useRangeDraft(memory);
  const range = shownRange(draft);
  // The scale holds still under the finger.
  const scale = memoryScale(draft.draft === null ? range : draft.server, props.budgetKib);
  const { before } = draft;
  const canUndo = before !== null && draft.pending === null && !sameRange(before, draft.server);
  return (
    <>
      <RangeSlider
        range={range}
        scale={scale}
        meters={memory.actualKib === null ? null : memory}
        onDrag={drag}
        onRelease={send}
        onCancel={cancel}
      />
      <div className="range-fields">
        <RangeFields range={range} onChange={setRange} />
        <span className="grow" />
        {draft.pending !== null ? (
          <span className="quiet" role="status">
            {text.memory.sending}
          </span>
        ) : canUndo ? (
          <>
            <span className="quiet" role="status">
              {text.memory.changed(formatKib(before.minKib, language), formatKib(before.maxKib, language))}
            </span>
            <Button look="flat" onPress={() => setRange(before)}>
              {text.memory.undo}
            </Button>
          </>
        ) : null}
      </div>
      <RangeHints range={range} bootKib={memory.bootKib} />
    </>
  );
}
