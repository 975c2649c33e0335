// Slider, number fields and the words around them, over a draft: nothing is asked of the service before Apply or Try.
import { useEffect, useReducer, useRef, useState } from 'react';
import type { MemoryRange, VmMemory } from '../../shared/memory.ts';
import { errorBodyOf, undoRange } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { showError } from '../state/navigation.ts';
import {
  apply,
  discard,
  dragTo,
  isChanged,
  published,
  type RangeDraft,
  refused,
  replied,
  shownRange,
  startDraft,
} from '../state/range-draft.ts';
import { useRangeUndo } from '../ui/hooks.ts';
import { UNDO_RANGE_EVENT } from '../ui/shortcuts.ts';
import { type MemoryScale, memoryScale } from '../view/memory-scale.ts';
import { type ApplyHow, RangeActions, TRIAL_SECONDS } from './RangeActions.tsx';
import { RangeFields, RangeHints } from './RangeFields.tsx';
import { RangeSlider } from './RangeSlider.tsx';

function ask(how: ApplyHow, params: MemoryRange & Pick<VmMemory, 'vmId'>): Promise<unknown> {
  return how === 'set'
    ? call('memory.set-range', params)
    : call('memory.try-range', { ...params, seconds: TRIAL_SECONDS });
}

function useRangeDraft({ vmId, minKib, maxKib }: VmMemory) {
  const { text } = useSpeech();
  const state = useRef<RangeDraft>(startDraft({ minKib, maxKib }));
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const set = (next: RangeDraft): void => {
    state.current = next;
    redraw();
  };
  useEffect(() => {
    const next = published(state.current, { minKib, maxKib });
    if (next !== state.current) {
      state.current = next;
      redraw();
    }
  }, [minKib, maxKib]);
  return {
    state,
    dragTo: (range: MemoryRange) => set(dragTo(state.current, range)),
    discard: () => set(discard(state.current)),
    apply: (how: ApplyHow): void => {
      const { state: next, send } = apply(state.current);
      set(next);
      if (send === null) return;
      ask(how, { vmId, ...send.range }).then(
        () => set(replied(state.current, send.seq, send.range)),
        (error: unknown) => {
          set(refused(state.current, send.seq));
          showError(text.memory.saveFailed, errorBodyOf(error));
        },
      );
    },
  };
}

/** Ctrl+Z: first what was only chosen, then what was done. */
function useUndoKey(onUndo: () => void): void {
  const latest = useRef(onUndo);
  latest.current = onUndo;
  useEffect(() => {
    const listen = (): void => latest.current();
    window.addEventListener(UNDO_RANGE_EVENT, listen);
    return () => window.removeEventListener(UNDO_RANGE_EVENT, listen);
  }, []);
}

export function RangeEditor(props: {
  readonly memory: VmMemory;
  readonly budgetKib: number;
  /** A VM that is off has nothing to be tried on. */
  readonly canTry: boolean;
}) {
  const { memory, budgetKib } = props;
  const draft = useRangeDraft(memory);
  const undo = useRangeUndo(memory.vmId);
  const range = shownRange(draft.state.current);
  // The scale holds still under the finger.
  const [held, hold] = useState<MemoryScale | null>(null);
  const scale = held ?? memoryScale(range, budgetKib);
  useUndoKey(() => {
    if (isChanged(draft.state.current)) draft.discard();
    else if (undo.before !== null) void undoRange(memory.vmId);
  });
  return (
    <>
      <RangeSlider
        range={range}
        scale={scale}
        meters={memory.actualKib === null ? null : memory}
        onDrag={next => {
          hold(scale);
          draft.dragTo(next);
        }}
        onRelease={() => hold(null)}
        onCancel={() => {
          hold(null);
          draft.discard();
        }}
        onApply={() => draft.apply('set')}
      />
      <div className="range-fields">
        <RangeFields range={range} onChange={draft.dragTo} />
        <span className="grow" />
        <RangeActions
          vmId={memory.vmId}
          draft={draft.state.current}
          undo={undo}
          onApply={draft.apply}
          onDiscard={draft.discard}
          canTry={props.canTry}
        />
      </div>
      <RangeHints range={range} bootKib={memory.bootKib} />
    </>
  );
}
