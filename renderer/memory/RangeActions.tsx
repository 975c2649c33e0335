// What can be done with a range that was chosen: apply it, try it, drop it; or take the last change back.
import { Undo2 } from 'lucide-react';
import type { VmId } from '../../shared/ids.ts';
import type { RangeUndo } from '../../shared/memory.ts';
import { undoRange } from '../api/commands.ts';
import { useSpeech } from '../i18n/text.ts';
import { isChanged, type RangeDraft } from '../state/range-draft.ts';
import { Button } from '../ui/Button.tsx';
import { formatRange } from '../view/format.ts';
import { undoTarget } from '../view/trial.ts';

export const TRIAL_SECONDS = 60;
/** For good, or to be tried. */
export type ApplyHow = 'set' | 'try';

export function RangeActions(props: {
  readonly vmId: VmId;
  readonly draft: RangeDraft;
  readonly undo: RangeUndo;
  readonly onApply: (how: ApplyHow) => void;
  readonly onDiscard: () => void;
  readonly canTry: boolean;
}) {
  const { text, language } = useSpeech();
  const { vmId, draft } = props;
  const words = text.trial;
  const changed = isChanged(draft);
  const before = undoTarget(props.undo, draft.server);
  return (
    <>
      {draft.pending !== null ? (
        <span className="quiet" role="status">
          {text.memory.sending}
        </span>
      ) : changed ? (
        <Button look="flat" onPress={props.onDiscard}>
          {words.discard}
        </Button>
      ) : before !== null ? (
        <Button look="flat" onPress={() => undoRange(vmId)}>
          <Undo2 size={14} strokeWidth={1.75} aria-hidden />
          {words.undo(formatRange(before.minKib, before.maxKib, language))}
          <kbd aria-hidden>Ctrl Z</kbd>
        </Button>
      ) : null}
      {props.canTry ? (
        <Button onPress={() => props.onApply('try')} isDisabled={!changed}>
          {words.try(new Intl.NumberFormat(language).format(TRIAL_SECONDS))}
        </Button>
      ) : null}
      <Button look="go" onPress={() => props.onApply('set')} isDisabled={!changed}>
        {words.apply}
      </Button>
    </>
  );
}
