// The dialogs of a VM's rarer verbs. Each says what is kept; its button is the verb.
import { useState } from 'react';
import { type VmSummary, vmNameSchema } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import type { VmDialogName } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { Confirm, Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { useService } from '../ui/hooks.ts';
import { formatBytes } from '../view/format.ts';
import { historyBytes } from '../view/settle.ts';

function RenameDialog(props: { readonly vm: VmSummary; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const [name, setName] = useState(props.vm.spec.name);
  const isValid = vmNameSchema.safeParse(name).success;
  const save = async (): Promise<void> => {
    if (!isValid) return;
    const done = await attempt(text.vm.renameVerb, () =>
      call('vm.rename', { vmId: props.vm.spec.id, name: name.trim() }),
    );
    if (done !== null) props.onClose();
  };
  return (
    <Dialog
      title={text.vm.renameTitle(props.vm.spec.name)}
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={props.onClose}>{text.app.cancel}</Button>
          <Button needs="vm.rename" look="go" onPress={save} isDisabled={!isValid}>
            {text.vm.renameVerb}
          </Button>
        </>
      }
    >
      <Field label={text.vm.renameLabel} error={isValid ? null : text.create.nameRule}>
        {control => (
          <input
            {...control}
            className="input"
            autoFocus
            value={name}
            maxLength={60}
            onChange={event => setName(event.target.value)}
            onKeyDown={event => event.key === 'Enter' && void save()}
          />
        )}
      </Field>
    </Dialog>
  );
}

export function VmDialogs(props: {
  readonly vm: VmSummary;
  readonly dialog: VmDialogName | null;
  readonly onClose: () => void;
}) {
  const { text, language } = useSpeech();
  const { vm, onClose } = props;
  const vmId = vm.spec.id;
  const timeline = useService(state => state.timelines[vmId]);
  const words = text.vm;
  const common = { cancel: text.app.cancel, onClose, danger: true };
  switch (props.dialog) {
    case 'force':
      return (
        <Confirm
          {...common}
          title={words.forceTitle(vm.spec.name)}
          verb={words.forceVerb}
          onConfirm={() => void attempt(words.forceVerb, () => call('vm.stop', { vmId, how: 'force' }))}
        >
          <p>{words.forceText}</p>
        </Confirm>
      );
    case 'reset':
      return (
        <Confirm
          {...common}
          title={words.resetTitle(vm.spec.name)}
          verb={words.resetVerb}
          onConfirm={() => void attempt(words.resetVerb, () => call('vm.reset', { vmId }))}
        >
          <p>{words.resetText}</p>
        </Confirm>
      );
    case 'delete':
      return (
        <Confirm
          {...common}
          title={words.deleteTitle(vm.spec.name)}
          verb={words.deleteVerb}
          onConfirm={() => void attempt(words.deleteVerb, () => call('vm.delete', { vmId }))}
        >
          <p>
            {words.deleteText(timeline === undefined ? '–' : formatBytes(historyBytes(timeline), language))}
          </p>
        </Confirm>
      );
    case 'rename':
      return <RenameDialog vm={vm} onClose={onClose} />;
    default:
      return null;
  }
}
