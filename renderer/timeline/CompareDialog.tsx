// Compares two points, or a point and Now. Asks anew with every choice; changes nothing.
import { useState } from 'react';
import type { MomentId } from '../../shared/ids.ts';
import type { Moment, Timeline } from '../../shared/timeline.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { firstCompared, momentOf } from '../view/points.ts';
import { DiskDifferences } from './HeatStrip.tsx';
import { PointSelect } from './PointSelect.tsx';
import { useDifference } from './use-difference.ts';

function Comparison(props: {
  readonly timeline: Timeline;
  readonly fromId: MomentId;
  readonly toId: MomentId | null;
}) {
  const { timeline, fromId, toId } = props;
  const found = useDifference(timeline.vmId, fromId, toId);
  return <DiskDifferences found={found} timeline={timeline} />;
}

export function CompareDialog(props: {
  readonly timeline: Timeline;
  readonly chosen: Moment | null;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { timeline } = props;
  const words = text.compare;
  const [from, setFrom] = useState<MomentId | null>(() => firstCompared(timeline, props.chosen)?.id ?? null);
  const [to, setTo] = useState<MomentId | null>(null);
  const parentId = momentOf(timeline, from)?.parentId ?? null;
  return (
    <Dialog
      title={words.title}
      size="wide"
      onClose={props.onClose}
      actions={
        <Button look="go" onPress={props.onClose}>
          {text.app.close}
        </Button>
      }
    >
      {from === null ? (
        <p>{words.noPoints}</p>
      ) : (
        <>
          <div className="point-pair">
            <PointSelect
              label={words.from}
              timeline={timeline}
              value={from}
              nullWords={null}
              onChange={setFrom}
            />
            <PointSelect
              label={words.to}
              timeline={timeline}
              value={to}
              nullWords={words.now}
              parentId={parentId}
              error={from === to ? words.same : null}
              onChange={setTo}
            />
          </div>
          {from === to ? null : <Comparison timeline={timeline} fromId={from} toId={to} />}
          <p className="soft small">{words.note}</p>
        </>
      )}
    </Dialog>
  );
}
