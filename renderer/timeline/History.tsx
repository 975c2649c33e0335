// The history, once its timeline is known: drawn or as a table, with the settling and the chosen point.
import { useEffect, useMemo, useState } from 'react';
import { useStore } from 'zustand';
import type { Timeline as TimelineState } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt, peekAt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { answered, askedStore, choosePoint, type HistoryVerb, isHistoryVerb } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { useNow } from '../ui/hooks.ts';
import { Notice } from '../ui/Notice.tsx';
import { momentOf } from '../view/points.ts';
import { NOW } from '../view/timeline-layout.ts';
import { filterPoints, type PointFilter, zoomed } from '../view/timeline-view.ts';
import { AutomaticCard } from './AutomaticCard.tsx';
import { DamageWords } from './CheckReport.tsx';
import { HistoryBar, type HistoryView } from './HistoryBar.tsx';
import { HistoryDialogs, type OpenVerb } from './HistoryDialogs.tsx';
import { HistoryFilter } from './HistoryFilter.tsx';
import { NowCard } from './NowCard.tsx';
import { PointCard } from './PointCard.tsx';
import { PointTable } from './PointTable.tsx';
import { SettleCard } from './SettleCard.tsx';
import { Timeline } from './Timeline.tsx';
import { TrashCard } from './TrashCard.tsx';
import { useVerifyReport } from './use-verify-report.ts';

/** From this many points on the table opens first: it is the view for long lists. */
const TABLE_FROM = 200;

/** Does a verb that was asked elsewhere, once this page is there to do it. */
function useAsked(vm: VmSummary, act: (verb: HistoryVerb) => void): void {
  const asked = useStore(askedStore, state => state.asked);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new question moves this on
  useEffect(() => {
    if (asked === null || asked.vmId !== vm.spec.id || !isHistoryVerb(asked.verb)) return;
    answered();
    act(asked.verb);
  }, [asked]);
}

export function History(props: { readonly vm: VmSummary; readonly timeline: TimelineState }) {
  const { text } = useSpeech();
  const { vm, timeline } = props;
  const vmId = vm.spec.id;
  const now = useNow();
  const chosen = useStore(askedStore, state => state.chosen[vmId] ?? NOW);
  const [view, setView] = useState<HistoryView>(timeline.moments.length > TABLE_FROM ? 'table' : 'timeline');
  const [open, setOpen] = useState<OpenVerb | null>(null);
  const [filter, setFilter] = useState<PointFilter>('all');
  const [zoom, setZoom] = useState(1);
  const shown = useMemo(() => filterPoints(timeline, filter), [timeline, filter]);
  const check = useVerifyReport(vmId);
  const moment = momentOf(timeline, chosen);
  const choose = (id: string): void => choosePoint(vmId, id);
  const act = (verb: HistoryVerb): void => {
    if (verb === 'peek' && moment !== null) void peekAt(vmId, moment.id);
    else if (verb !== 'pin') setOpen({ verb, moment });
    else if (moment !== null)
      void attempt(text.history.error.pin, () =>
        call('moment.update', { vmId, momentId: moment.id, pinned: !moment.pinned }),
      );
  };
  useAsked(vm, act);
  const isEmpty = timeline.moments.length === 0;
  const { report } = check;
  return (
    <>
      <HistoryBar timeline={timeline} view={view} setView={setView} onVerb={act} />
      {isEmpty ? null : (
        <HistoryFilter
          filter={filter}
          setFilter={setFilter}
          shown={shown.moments.length}
          zoom={view === 'timeline' ? zoom : null}
          onZoom={steps => setZoom(zoomed(zoom, steps))}
        />
      )}
      {report === null || report === undefined || report.damages.length === 0 ? null : (
        <Notice
          tone="warn"
          title={text.check.damagedTitle}
          action={<Button onPress={() => act('check')}>{text.check.show}</Button>}
        >
          <DamageWords report={report} timeline={timeline} />
        </Notice>
      )}
      {view === 'timeline' ? (
        <Timeline
          timeline={shown}
          now={now}
          zoom={zoom}
          selected={moment?.id ?? NOW}
          onSelect={choose}
          onAction={act}
          onZoom={steps => setZoom(zoomed(zoom, steps))}
        />
      ) : (
        <PointTable timeline={shown} selected={moment?.id ?? NOW} onSelect={choose} onAction={act} />
      )}
      {isEmpty ? (
        <div className="history-empty">
          <h2>{text.history.emptyTitle}</h2>
          <p className="soft">{text.history.emptyText}</p>
        </div>
      ) : null}
      <SettleCard vm={vm} timeline={timeline} />
      {isEmpty ? null : moment === null ? (
        <NowCard vm={vm} timeline={timeline} onVerb={act} />
      ) : (
        <PointCard key={moment.id} vm={vm} timeline={timeline} moment={moment} onVerb={act} />
      )}
      <AutomaticCard vmId={vmId} hasPoints={!isEmpty} onVerb={act} />
      <TrashCard timeline={timeline} />
      {open === null ? null : (
        <HistoryDialogs
          vm={vm}
          timeline={timeline}
          check={check}
          open={open}
          onChoose={choose}
          onClose={() => setOpen(null)}
        />
      )}
    </>
  );
}
