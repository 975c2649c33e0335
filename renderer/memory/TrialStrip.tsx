// A range on trial: the range tried, the one it goes back to, when, and buttons for both endings. Also a chip
// and a mark, for places that do not show the strip.
import { Timer } from 'lucide-react';
import type { VmSummary } from '../../shared/vm.ts';
import { keepRange, undoRange } from '../api/commands.ts';
import { useSpeech } from '../i18n/text.ts';
import { goTo } from '../state/navigation.ts';
import { Button } from '../ui/Button.tsx';
import { useRangeUndo, useSecondsLeft } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { formatRange } from '../view/format.ts';
import { formatCountdown, type Trial, trialOf } from '../view/trial.ts';

/** The strip disappears with its trial, so the keyboard's focus moves to a place that stays. */
function leaveStrip(): void {
  const place = document.getElementById('tab-panel') ?? document.getElementById('main');
  place?.focus({ preventScroll: true });
}

/** Not a live region: the seconds are for the eye; TrialVoice speaks to screen readers. */
function Countdown(props: { readonly trial: Trial }) {
  const left = useSecondsLeft(props.trial.endsAt);
  return (
    <span className="timer" role="timer" aria-live="off">
      {formatCountdown(left)}
    </span>
  );
}

function Strip(props: { readonly vm: VmSummary; readonly trial: Trial }) {
  const { text, language } = useSpeech();
  const { trial } = props;
  const { id, name, minKib, maxKib } = props.vm.spec;
  const words = text.trial;
  const before = formatRange(trial.before.minKib, trial.before.maxKib, language);
  const isOver = useSecondsLeft(trial.endsAt) === 0;
  const end = async (how: typeof keepRange): Promise<void> => {
    if ((await how(id)) !== null) leaveStrip();
  };
  return (
    <Notice
      tone="trial"
      title={words.title(name, formatRange(minKib, maxKib, language))}
      action={
        <>
          <Button
            needs="memory.undo-range"
            label={text.palette.tab(name, words.goBack)}
            onPress={() => end(undoRange)}
          >
            {words.goBack}
          </Button>
          <Button
            needs="memory.keep-range"
            look="go"
            label={text.palette.tab(name, words.keep)}
            onPress={() => end(keepRange)}
          >
            {words.keep}
          </Button>
        </>
      }
    >
      <span>
        {isOver ? (
          words.goingBack(before)
        ) : (
          <>
            {words.goesBack(before)} <Countdown trial={trial} />
          </>
        )}
      </span>
    </Notice>
  );
}

export function TrialStrip(props: { readonly vm: VmSummary }) {
  const trial = trialOf(useRangeUndo(props.vm.spec.id));
  return trial === null ? null : <Strip vm={props.vm} trial={trial} />;
}

/** The chip in the VM's header, on tabs other than Memory. */
export function TrialChip(props: { readonly vm: VmSummary }) {
  const { text, language } = useSpeech();
  const { id, minKib, maxKib } = props.vm.spec;
  const trial = trialOf(useRangeUndo(id));
  if (trial === null) return null;
  return (
    <button type="button" className="chip" onClick={() => goTo({ kind: 'vm', vmId: id, tab: 'memory' })}>
      <Timer size={12} aria-hidden />
      {text.trial.short(formatRange(minKib, maxKib, language))}
      <span aria-hidden>
        <Countdown trial={trial} />
      </span>
    </button>
  );
}

/** The mark beside the VM's name in the side list. */
export function TrialMark(props: { readonly trial: Trial }) {
  const { text } = useSpeech();
  return (
    <>
      <span className="sr-only">{text.trial.mark}</span>
      <Timer size={12} aria-hidden />
      <span aria-hidden>
        <Countdown trial={props.trial} />
      </span>
    </>
  );
}
