// Sets when points are taken automatically and how long they stay; shows what that means before it is saved.
import { useState } from 'react';
import { DEFAULT_SCHEDULE, type Schedule } from '../../shared/history.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { useService } from '../ui/hooks.ts';
import { CommandError } from '../ui/TaskProgress.tsx';
import { useCommand } from '../ui/use-command.ts';
import { KeepFields } from './KeepFields.tsx';
import { ScheduleFields } from './ScheduleFields.tsx';
import { ScheduleMeaning } from './ScheduleMeaning.tsx';

export function ScheduleDialog(props: { readonly vm: VmSummary; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { vm, onClose } = props;
  const vmId = vm.spec.id;
  const words = text.automatic.dialog;
  const known = useService(state => state.histories[vmId]?.schedule ?? DEFAULT_SCHEDULE);
  // A person who opens this while the schedule is off has come to turn it on.
  const [draft, setDraft] = useState<Schedule>(() => ({ ...known, isOn: true }));
  const [bad, setBad] = useState<ReadonlySet<string>>(new Set());
  const { error, isSending, send } = useCommand();
  const change = (part: Partial<Schedule>): void => setDraft(old => ({ ...old, ...part }));
  const check = (field: string, isGood: boolean): void =>
    setBad(old => new Set([...old].filter(name => name !== field).concat(isGood ? [] : [field])));
  const save = async (): Promise<void> => {
    if ((await send(() => call('history.set', { vmId, schedule: draft }))) !== null) onClose();
  };
  return (
    <Dialog
      title={words.title(vm.spec.name)}
      size="medium"
      keepOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{text.app.cancel}</Button>
          <Button needs="history.set" look="go" onPress={save} isDisabled={isSending || bad.size > 0}>
            {words.verb}
          </Button>
        </>
      }
    >
      <CommandError verb={words.failed} error={error} />
      <ScheduleFields draft={draft} onChange={change} onCheck={check} />
      {draft.isOn ? <KeepFields draft={draft} onChange={change} onCheck={check} /> : null}
      <ScheduleMeaning vmId={vmId} draft={draft} />
    </Dialog>
  );
}
