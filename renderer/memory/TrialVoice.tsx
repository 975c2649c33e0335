// Tells screen readers of trials, wherever in the window: the beginning, ten seconds left, the end.
import { useEffect, useRef, useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { useRangeUndo, useSecondsLeft, useVms } from '../ui/hooks.ts';
import { formatRange } from '../view/format.ts';
import { type Trial, type TrialNews, trialNews, trialOf } from '../view/trial.ts';

interface Heard {
  readonly trial: Trial | null;
  readonly left: number;
}

function useWords(vm: VmSummary): (news: Exclude<TrialNews, null>, is: Heard) => string {
  const { text, language } = useSpeech();
  const { name, minKib, maxKib } = vm.spec;
  const range = formatRange(minKib, maxKib, language);
  return (news, { trial, left }) => {
    if (news === 'ended' || trial === null) return text.trial.ended(name, range);
    const seconds = new Intl.NumberFormat(language).format(left);
    if (news === 'soon') return text.trial.soon(name, seconds);
    const { before } = trial;
    return text.trial.began(name, range, formatRange(before.minKib, before.maxKib, language), seconds);
  };
}

function VmVoice(props: { readonly vm: VmSummary }) {
  const trial = trialOf(useRangeUndo(props.vm.spec.id));
  const left = useSecondsLeft(trial?.endsAt ?? null);
  const was = useRef<Heard>({ trial: null, left: 0 });
  const [said, say] = useState('');
  const wordsOf = useWords(props.vm);
  // An announcement is an event, not a view of the state: its words stay as they were said.
  useEffect(() => {
    const is = { trial, left };
    const news = trialNews(was.current, is);
    was.current = is;
    if (news !== null) say(wordsOf(news, is));
  });
  return said === '' ? null : <p>{said}</p>;
}

export function TrialVoice() {
  const vms = useVms();
  return (
    <div className="sr-only" role="status">
      {vms.map(vm => (
        <VmVoice key={vm.spec.id} vm={vm} />
      ))}
    </div>
  );
}
