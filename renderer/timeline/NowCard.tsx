// The card of Now, shown when no point is chosen: the space it takes, and a button for the next point.
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import type { HistoryVerb } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { formatBytes } from '../view/format.ts';

export function NowCard(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly onVerb: (verb: HistoryVerb) => void;
}) {
  const { text, language } = useSpeech();
  const words = text.history;
  const isOn = props.vm.state.pid !== null || props.vm.state.phase === 'running';
  return (
    <section className="card point-card" aria-label={words.now}>
      <div className="point-text">
        <div className="point-title">
          <h2>{words.now}</h2>
        </div>
        <p className="soft">
          {words.nowCard} {isOn ? words.nowCardRunning : words.nowCardOff}
        </p>
      </div>
      <div className="price">
        <p className="price-figure">{formatBytes(props.timeline.nowBytes, language)}</p>
        <p className="soft">{words.sinceLast}</p>
      </div>
      <div className="point-actions">
        <Button needs="moment.take" onPress={() => props.onVerb('take')}>
          {words.take}
        </Button>
      </div>
    </section>
  );
}
