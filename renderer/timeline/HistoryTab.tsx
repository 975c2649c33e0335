// The history page: health, the timeline or its table twin, what is settling, the chosen point.
import { useEffect, useState } from 'react';
import type { Moment, Timeline as TimelineState } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Segmented } from '../ui/Field.tsx';
import { useNow, useService } from '../ui/hooks.ts';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import { TAKE_POINT_EVENT } from '../ui/shortcuts.ts';
import { formatBytes } from '../view/format.ts';
import { healthOf, historyBytes } from '../view/settle.ts';
import { NOW } from '../view/timeline-layout.ts';
import { NowCard, PointCard } from './PointCard.tsx';
import { type PointAction, PointDialogs } from './PointDialogs.tsx';
import { PointTable } from './PointTable.tsx';
import { SettleCard } from './SettleCard.tsx';
import { TakeDialog } from './TakeDialog.tsx';
import { Timeline } from './Timeline.tsx';
import { TrashCard } from './TrashCard.tsx';

function Health(props: { readonly timeline: TimelineState }) {
  const { text } = useSpeech();
  const health = healthOf(props.timeline);
  const tone = health === 'blocked' || health === 'poisoned' ? 'warn' : health === 'paused' ? 'calm' : '';
  return <span className={`chip ${tone}`}>{text.history.health[health]}</span>;
}

interface HistoryProps {
  readonly vm: VmSummary;
  readonly timeline: TimelineState;
}

function Toolbar(
  props: HistoryProps & {
    readonly view: 'timeline' | 'table';
    readonly setView: (view: 'timeline' | 'table') => void;
    readonly take: () => void;
  },
) {
  const { text, language } = useSpeech();
  const { timeline } = props;
  const words = text.history;
  return (
    <div className="history-bar">
      <Health timeline={timeline} />
      <span className="quiet">
        {words.count(
          timeline.moments.length,
          formatBytes(historyBytes(timeline), language),
          formatBytes(timeline.freeBytes, language),
        )}
      </span>
      <span className="grow" />
      {timeline.moments.length === 0 ? null : (
        <Segmented
          label={words.viewLabel}
          value={props.view}
          options={[
            { value: 'timeline', label: words.asTimeline },
            { value: 'table', label: words.asTable },
          ]}
          onChange={props.setView}
        />
      )}
      <Button look="go" onPress={props.take}>
        {words.take}
      </Button>
    </div>
  );
}

/** Above this the table opens first: it is the view for long lists. */
const TABLE_FROM = 200;

function History(props: HistoryProps) {
  const { text } = useSpeech();
  const { vm, timeline } = props;
  const now = useNow();
  const [selected, setSelected] = useState<string>(NOW);
  const [view, setView] = useState<'timeline' | 'table'>(
    timeline.moments.length > TABLE_FROM ? 'table' : 'timeline',
  );
  const [isTaking, setTaking] = useState(false);
  const [action, setAction] = useState<PointAction | null>(null);
  useEffect(() => {
    const open = (): void => setTaking(true);
    window.addEventListener(TAKE_POINT_EVENT, open);
    return () => window.removeEventListener(TAKE_POINT_EVENT, open);
  }, []);
  const moment: Moment | null = timeline.moments.find(other => other.id === selected) ?? null;
  const act = (kind: PointAction['kind'], on: Moment | null): void => {
    if (on === null) return;
    if (kind === 'pin') {
      void attempt(text.history.error.pin, () =>
        call('moment.update', { vmId: vm.spec.id, momentId: on.id, pinned: !on.pinned }),
      );
    } else setAction({ kind, moment: on });
  };
  return (
    <>
      <Toolbar vm={vm} timeline={timeline} view={view} setView={setView} take={() => setTaking(true)} />
      {view === 'timeline' ? (
        <Timeline
          timeline={timeline}
          now={now}
          selected={moment === null ? NOW : moment.id}
          onSelect={setSelected}
          onAction={kind => act(kind, moment)}
        />
      ) : (
        <PointTable timeline={timeline} selected={moment?.id ?? NOW} onSelect={setSelected} />
      )}
      {timeline.moments.length === 0 ? (
        <div className="history-empty">
          <h2>{text.history.emptyTitle}</h2>
          <p className="soft">{text.history.emptyText}</p>
        </div>
      ) : null}
      <SettleCard vm={vm} timeline={timeline} />
      {timeline.moments.length === 0 ? null : moment === null ? (
        <NowCard vm={vm} timeline={timeline} onTake={() => setTaking(true)} />
      ) : (
        <PointCard
          key={moment.id}
          vm={vm}
          timeline={timeline}
          moment={moment}
          onAction={kind => act(kind, moment)}
        />
      )}
      <TrashCard timeline={timeline} />
      {isTaking ? <TakeDialog vm={vm} onClose={() => setTaking(false)} onTaken={setSelected} /> : null}
      {action === null ? null : (
        <PointDialogs vm={vm} timeline={timeline} action={action} onClose={() => setAction(null)} />
      )}
    </>
  );
}

export function HistoryTab(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const { id } = props.vm.spec;
  const timeline = useService(state => state.timelines[id]);
  const error = useService(state => state.timelineErrors[id]);
  return (
    <div className="page history-page">
      {timeline !== undefined ? (
        <History vm={props.vm} timeline={timeline} />
      ) : error !== undefined ? (
        <Notice tone="bad" title={text.history.unavailable}>
          <ErrorWords body={error} />
        </Notice>
      ) : (
        <p className="quiet" role="status">
          {text.app.loading}
        </p>
      )}
    </div>
  );
}
