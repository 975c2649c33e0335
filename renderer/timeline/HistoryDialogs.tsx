// The dialog that a verb of the history opens; verbs of a point need a chosen point.
import type { Moment, Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import type { HistoryVerb } from '../state/asked.ts';
import { CheckDialog } from './CheckDialog.tsx';
import { CleanUpDialog } from './CleanUpDialog.tsx';
import { CompactDialog } from './CompactDialog.tsx';
import { CompareDialog } from './CompareDialog.tsx';
import { ExportUpdateDialog } from './ExportUpdateDialog.tsx';
import { ImportUpdateDialog } from './ImportUpdateDialog.tsx';
import { PointDialogs } from './PointDialogs.tsx';
import { ScheduleDialog } from './ScheduleDialog.tsx';
import { TakeDialog } from './TakeDialog.tsx';
import type { LastCheck } from './use-verify-report.ts';

export interface OpenVerb {
  readonly verb: HistoryVerb;
  /** Null: Now was chosen. */
  readonly moment: Moment | null;
}

export function HistoryDialogs(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly check: LastCheck;
  readonly open: OpenVerb;
  readonly onChoose: (id: string) => void;
  readonly onClose: () => void;
}) {
  const { vm, timeline, onChoose, onClose } = props;
  const { verb, moment } = props.open;
  switch (verb) {
    case 'take':
      return <TakeDialog vm={vm} onClose={onClose} onTaken={onChoose} />;
    case 'compare':
      return <CompareDialog timeline={timeline} chosen={moment} onClose={onClose} />;
    case 'check':
      return <CheckDialog vm={vm} timeline={timeline} check={props.check} onClose={onClose} />;
    case 'compact':
      return <CompactDialog vm={vm} timeline={timeline} onClose={onClose} />;
    case 'schedule':
      return <ScheduleDialog vm={vm} onClose={onClose} />;
    case 'clean-up':
      return <CleanUpDialog vm={vm} timeline={timeline} onClose={onClose} />;
    case 'export-update':
      return <ExportUpdateDialog vm={vm} timeline={timeline} chosen={moment} onClose={onClose} />;
    // Peek is done at once, without a dialog.
    case 'peek':
      return null;
    case 'import-update':
      return <ImportUpdateDialog vm={vm} timeline={timeline} onChoose={onChoose} onClose={onClose} />;
    default:
      return moment === null ? null : (
        <PointDialogs vm={vm} timeline={timeline} action={{ kind: verb, moment }} onClose={onClose} />
      );
  }
}
