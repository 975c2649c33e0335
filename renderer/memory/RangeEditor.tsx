// Edits a range: slider, number fields and the words around them, over a draft. One command on release; the
// latest reply wins.
import { useEffect, useReducer, useRef, useState } from 'react';
import { Switch } from 'react-aria-components';
import type { MemoryRange, VmMemory } from '../../shared/memory.ts';
import { errorBodyOf, undoRange } from '../api/commands.ts';
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
import { useRangeUndo } from '../ui/hooks.ts';
import { UNDO_RANGE_EVENT } from '../ui/shortcuts.ts';
import { type MemoryScale, memoryScale } from '../view/memory-scale.ts';
import { RangeActions } from './RangeActions.tsx';
import { RangeFields, RangeHints } from './RangeFields.tsx';
import { RangeSlider } from './RangeSlider.tsx';

const TRIAL_SECONDS = 60;

function ask(isTrial: boolean, params: MemoryRange & Pick<VmMemory, 'vmId'>): Promise<unknown> {
  return isTrial
    ? call('memory.try-range', { ...params, seconds: TRIAL_SECONDS })
    : call('memory.set-range', params);
}

function useRangeDraft({ vmId, minKib, maxKib }: VmMemory, isTrial: boolean) {
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
  const send = (): void => {
    const { state: next, send: order } = release(state.current);
    set(next);
    if (order === null) return;
    ask(isTrial, { vmId, ...order.range }).then(
      () => set(replied(state.current, order.seq, order.range)),
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

/** Ctrl+Z first cancels a drag under way; without one it takes back the last change. */
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
  /** Whether a trial is offered: a VM that is off has nothing to try a range on. */
  readonly canTry: boolean;
  readonly isLocked: boolean;
}) {
  const { text, language } = useSpeech();
  const { memory, budgetKib } = props;
  const [isTrial, setTrial] = useState(false);
  const { draft, drag, cancel, send, setRange } = useRangeDraft(memory, isTrial && props.canTry);
  const undo = useRangeUndo(memory.vmId);
  const range = shownRange(draft);
  // The scale does not change during a drag.
  const [held, hold] = useState<MemoryScale | null>(null);
  const scale = held ?? memoryScale(range, budgetKib);
  useUndoKey(() => {
    if (draft.draft !== null) cancel();
    else if (undo.before !== null && !props.isLocked) void undoRange(memory.vmId);
  });
  return (
    <>
      <RangeSlider
        range={range}
        scale={scale}
        isLocked={props.isLocked}
        meters={memory.actualKib === null ? null : memory}
        onDrag={next => {
          hold(scale);
          drag(next);
        }}
        onRelease={() => {
          hold(null);
          send();
        }}
        onCancel={() => {
          hold(null);
          cancel();
        }}
      />
      <div className="range-fields">
        <RangeFields range={range} onChange={setRange} isLocked={props.isLocked} />
        <span className="grow" />
        <RangeActions vmId={memory.vmId} draft={draft} undo={undo} />
        {props.canTry && !props.isLocked ? (
          <Switch className="switch" isSelected={isTrial} onChange={setTrial}>
            <span className="switch-track" aria-hidden />
            {text.trial.try(new Intl.NumberFormat(language).format(TRIAL_SECONDS))}
          </Switch>
        ) : null}
      </div>
      <RangeHints range={range} bootKib={memory.bootKib} />
    </>
  );
}
