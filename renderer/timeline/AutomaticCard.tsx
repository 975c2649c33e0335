// The card of automatic points: how often they are taken, the next one, the outcome of the last, and buttons
// to change the schedule and to clean up.
import type { HistoryState } from '../../shared/history.ts';
import { useSpeech } from '../i18n/text.ts';
import type { HistoryVerb } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { formatBytes, formatMoment, formatSpan } from '../view/format.ts';

function Outcome(props: { readonly history: HistoryState }) {
  const { text, language } = useSpeech();
  const { last, lastDrop } = props.history;
  const words = text.automatic;
  if (last === null) return null;
  const isBad = last.outcome === 'failed' || last.outcome === 'waiting';
  const dropped =
    lastDrop === null ? '' : ` ${words.dropped(lastDrop.count, formatMoment(lastDrop.at, language))}`;
  return (
    <p className={isBad ? 'warn-text' : 'soft'}>
      {words.last[last.reason](formatMoment(last.at, language))}
      {last.text === null ? words.stop : `${words.colon}${last.text}`}
      {dropped}
    </p>
  );
}

export function AutomaticCard(props: {
  readonly vmId: string;
  readonly hasPoints: boolean;
  readonly onVerb: (verb: HistoryVerb) => void;
}) {
  const { text, language } = useSpeech();
  const { onVerb } = props;
  const history = useService(state => state.histories[props.vmId] ?? null);
  const words = text.automatic;
  const schedule = history?.schedule ?? null;
  const isOn = schedule?.isOn === true;
  const line = !isOn
    ? words.off
    : words.on(
        formatSpan(schedule.everyMinutes * 60_000, language),
        schedule.leastChangedBytes === 0 ? null : formatBytes(schedule.leastChangedBytes, language),
      );
  const nextAt = history?.nextAt ?? null;
  return (
    <section className="card settle-card" aria-label={words.title}>
      <div className="settle-head">
        <h2>{words.title}</h2>
        <span className="quiet">{nextAt === null ? '' : words.next(formatMoment(nextAt, language))}</span>
        <span className="grow" />
        {props.hasPoints ? (
          <Button needs="history.clean" look="flat" onPress={() => onVerb('clean-up')}>
            {words.cleanUp}
          </Button>
        ) : null}
        <Button needs="history.set" onPress={() => onVerb('schedule')}>
          {isOn ? words.change : words.setUp}
        </Button>
      </div>
      <p className="soft">{isOn ? `${line}${words.stop}` : line}</p>
      {history === null || !isOn ? null : <Outcome history={history} />}
    </section>
  );
}
