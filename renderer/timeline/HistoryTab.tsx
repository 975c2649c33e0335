// The history page: the history, or why it cannot be shown and what to do.
import { useState } from 'react';
import type { Rescued } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { askTimeline } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { useService } from '../ui/hooks.ts';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import { lossOf } from '../view/faults.ts';
import { History } from './History.tsx';
import { LostTimeline, RescuedNotice } from './LostTimeline.tsx';

export function HistoryTab(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const { vm } = props;
  const { id } = vm.spec;
  const timeline = useService(state => state.timelines[id]);
  const error = useService(state => state.timelineErrors[id]);
  const [rescued, setRescued] = useState<Rescued | null>(null);
  const loss = error === undefined ? null : lossOf(error);
  return (
    <div className="page history-page">
      {rescued === null ? null : <RescuedNotice rescued={rescued} onClose={() => setRescued(null)} />}
      {error !== undefined && loss !== null ? (
        <LostTimeline vm={vm} error={error} loss={loss} onRescued={setRescued} />
      ) : timeline !== undefined ? (
        <History vm={vm} timeline={timeline} />
      ) : error !== undefined ? (
        <Notice
          tone="bad"
          title={text.history.unavailable}
          action={<Button onPress={() => askTimeline(id)}>{text.app.retry}</Button>}
        >
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
