// Makes a new VM from a point: asks its name; the copying goes on in the background.
import { useState } from 'react';
import { freeName } from '../../shared/free-name.ts';
import type { Moment } from '../../shared/timeline.ts';
import { type VmSummary, vmNameSchema } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { useVms } from '../ui/hooks.ts';
import { pointName } from '../view/points.ts';

export function CloneDialog(props: {
  readonly vm: VmSummary;
  readonly moment: Moment;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { vm, moment } = props;
  const names = useVms().map(other => other.spec.name);
  const words = text.history.cloning;
  const [name, setName] = useState(() => freeName(words.defaultName(vm.spec.name), names));
  const isTaken = names.some(other => other.toLowerCase() === name.trim().toLowerCase());
  const problem = !vmNameSchema.safeParse(name.trim()).success
    ? text.create.nameRule
    : isTaken
      ? text.create.nameTaken(name.trim())
      : null;
  const clone = async (): Promise<void> => {
    if (problem !== null) return;
    const params = { vmId: vm.spec.id, momentId: moment.id, name: name.trim() };
    if ((await attempt(words.verb, () => call('vm.clone', params))) !== null) props.onClose();
  };
  return (
    <Dialog
      title={words.title(pointName(moment, text))}
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={props.onClose}>{text.app.cancel}</Button>
          <Button needs="vm.clone" look="go" onPress={clone} isDisabled={problem !== null}>
            {words.verb}
          </Button>
        </>
      }
    >
      <p>{words.note}</p>
      <Field label={text.create.name} error={problem}>
        {control => (
          <input
            {...control}
            className="input"
            autoFocus
            maxLength={60}
            value={name}
            onChange={event => setName(event.target.value)}
            onKeyDown={event => event.key === 'Enter' && void clone()}
          />
        )}
      </Field>
    </Dialog>
  );
}
