// Checks a VM's history: says what the check does, how far it is, and what the newest one found.
import type { Timeline } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { CommandError, StopTask, TaskProgress } from '../ui/TaskProgress.tsx';
import { useCommand } from '../ui/use-command.ts';
import { formatBytes } from '../view/format.ts';
import { historyBytes } from '../view/settle.ts';
import { CheckReport } from './CheckReport.tsx';
import type { LastCheck } from './use-verify-report.ts';

export function CheckDialog(props: {
  readonly vm: VmSummary;
  readonly timeline: Timeline;
  readonly check: LastCheck;
  readonly onClose: () => void;
}) {
  const { text, language } = useSpeech();
  const { vm, timeline } = props;
  const { report, running } = props.check;
  const words = text.check;
  const { error, isSending, send } = useCommand();
  const begin = (): Promise<unknown> => send(() => call('vm.verify', { vmId: vm.spec.id }));
  const isIdle = running === null;
  // While a check runs, the report covers only what has been read so far.
  const shown = isIdle && report?.state !== 'running' ? (report ?? null) : null;
  return (
    <Dialog
      title={words.title(vm.spec.name)}
      size="wide"
      onClose={props.onClose}
      actions={
        <>
          {running === null ? null : <StopTask task={running} verb={words.stop} />}
          <Button onPress={props.onClose}>{text.app.close}</Button>
          {isIdle ? (
            <Button needs="vm.verify" look="go" onPress={begin} isDisabled={isSending}>
              {report === null || report === undefined ? words.verb : words.again}
            </Button>
          ) : null}
        </>
      }
    >
      <CommandError verb={words.verb} error={error} />
      {running === null ? null : <TaskProgress task={running} label={words.under} note={words.underNote} />}
      {shown === null ? (
        <p className="soft">{words.text(formatBytes(historyBytes(timeline), language))}</p>
      ) : (
        <CheckReport report={shown} timeline={timeline} />
      )}
      {isIdle && report === null ? <p className="quiet">{words.never}</p> : null}
    </Dialog>
  );
}
