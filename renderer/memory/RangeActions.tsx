// Tells what happened to a chosen range, and offers the way back to the one before.
import { Undo2 } from 'lucide-react';
import type { VmId } from '../../shared/ids.ts';
import type { RangeUndo } from '../../shared/memory.ts';
import { undoRange } from '../api/commands.ts';
import { useSpeech } from '../i18n/text.ts';
import type { RangeDraft } from '../state/range-draft.ts';
import { Button } from '../ui/Button.tsx';
import { formatRange } from '../view/format.ts';
import { undoTarget } from '../view/trial.ts';

export function RangeActions(props: {
  readonly vmId: VmId;
  readonly draft: RangeDraft;
  readonly undo: RangeUndo;
}) {
  const { text, language } = useSpeech();
  const { vmId, draft } = props;
  const before = undoTarget(props.undo, draft.server);
  if (draft.pending !== null)
    return (
      <span className="quiet" role="status">
        {text.memory.sending}
      </span>
    );
  if (before === null) return null;
  return (
    <Button needs="memory.undo-range" look="flat" onPress={() => undoRange(vmId)}>
      <Undo2 size={14} strokeWidth={1.75} aria-hidden />
      {text.trial.undo(formatRange(before.minKib, before.maxKib, language))}
      <kbd aria-hidden>Ctrl Z</kbd>
    </Button>
  );
}
