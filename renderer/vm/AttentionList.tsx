// The list of what needs a person's attention, each as a notice with one button.
import { type ReactNode, useState } from 'react';
import { useSpeech } from '../i18n/text.ts';
import { goTo, type VmTab } from '../state/navigation.ts';
import { Button } from '../ui/Button.tsx';
import { useService, useVms } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { type Attention, findAttention } from '../view/attention.ts';
import { errorLine } from '../view/error-words.ts';
import { formatKib, formatSpan } from '../view/format.ts';

function useWords(): (found: Attention) => { title: string; body: ReactNode; tab: VmTab | null } {
  const { text, language } = useSpeech();
  const words = text.attention;
  return found => {
    switch (found.kind) {
      case 'failed': {
        const { error } = found.vm.state;
        const title = error?.code === 'vm.died' ? words.diedTitle : words.failedTitle;
        return {
          title: title(found.vm.spec.name),
          body: error === null ? found.vm.state.detail : errorLine(error, text.errors),
          tab: 'summary',
        };
      }
      case 'paused':
        return {
          title: words.pausedTitle(found.vm.spec.name),
          body: text.spoken(found.vm.state.detail),
          tab: 'summary',
        };
      case 'balloon': {
        const { memory, vm } = found;
        const size = (kib: number | null): string => (kib === null ? '–' : formatKib(kib, language));
        const [target, actual] = [size(memory.targetKib), size(memory.actualKib)];
        const { balloon } = memory;
        const { name } = vm.spec;
        if (balloon === 'slow')
          return {
            title: words.balloonTitle.slow(name),
            body: words.slowText(target, actual),
            tab: 'memory',
          };
        if (balloon === 'no-driver')
          return {
            title: words.balloonTitle['no-driver'](name),
            body: words.driverText(actual),
            tab: 'memory',
          };
        if (balloon === 'no-return')
          return {
            title: words.balloonTitle['no-return'](name),
            body: words.noReturnText,
            tab: 'memory',
          };
        if (balloon === 'blind')
          return { title: words.balloonTitle.blind(name), body: words.blindText, tab: 'memory' };
        return {
          title: words.balloonTitle.refusing(name),
          body: words.refusingText(target, actual),
          tab: 'memory',
        };
      }
      case 'lost':
        return {
          title: text.lost.attention(found.vm.spec.name),
          body: text.lost.attentionText,
          tab: 'history',
        };
      case 'history':
        return {
          title: words.historyTitle(found.vm.spec.name),
          body:
            found.timeline.settle.reason ??
            found.timeline.disks.find(disk => disk.poisoned !== null)?.poisoned ??
            '',
          tab: 'history',
        };
      case 'host':
        return {
          title: words.hostTitle[found.state],
          body: words.hostText[found.state](formatKib(found.availableKib, language)),
          tab: null,
        };
      case 'stale-plan':
        return {
          title: words.staleTitle,
          body: words.staleText(formatSpan(found.ageMs, language)),
          tab: null,
        };
    }
  };
}

const isBad = (found: Attention): boolean =>
  found.kind === 'failed' || (found.kind === 'host' && found.state === 'emergency');

const SHOWN_MAX = 4;

export function AttentionList() {
  const { text } = useSpeech();
  const vms = useVms();
  const host = useService(state => state.host);
  const timelines = useService(state => state.timelines);
  const timelineErrors = useService(state => state.timelineErrors);
  const wordsOf = useWords();
  const [isAll, setAll] = useState(false);
  const found = findAttention({ vms, host, timelines, timelineErrors }).sort(
    (a, b) => Number(isBad(b)) - Number(isBad(a)),
  );
  if (found.length === 0) return <p className="all-calm">{text.overview.calm}</p>;
  return (
    <section className="attention" aria-label={text.overview.attention}>
      {found.slice(0, isAll ? found.length : SHOWN_MAX).map(item => {
        const { title, body, tab } = wordsOf(item);
        const vm = 'vm' in item ? item.vm : null;
        return (
          <Notice
            key={`${item.kind}${vm?.spec.id ?? ''}`}
            tone={isBad(item) ? 'bad' : 'warn'}
            title={title}
            action={
              vm === null || tab === null ? undefined : (
                <Button onPress={() => goTo({ kind: 'vm', vmId: vm.spec.id, tab })}>
                  {text.attention.open(vm.spec.name)}
                </Button>
              )
            }
          >
            {body}
          </Notice>
        );
      })}
      {isAll || found.length <= SHOWN_MAX ? null : (
        <button type="button" className="link" onClick={() => setAll(true)}>
          {text.overview.more(found.length - SHOWN_MAX)}
        </button>
      )}
    </section>
  );
}
