// Takes a point: a name, and the promise that nothing stops for it (T6).
import { useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { formatMoment } from '../view/format.ts';

export function TakeDialog(props: {
  readonly vm: VmSummary;
  readonly onClose: () => void;
  readonly onTaken: (id: string) => void;
}) {
  const { text, language } = useSpeech();
  const words = text.history;
  const [name, setName] = useState(() => words.takeDefault(formatMoment(Date.now(), language)));
  const [isSending, setSending] = useState(false);
  const take = async (): Promise<void> => {
    setSending(true);
    const moment = await attempt(words.error.take, () =>
      call('moment.take', { vmId: props.vm.spec.id, name: name.trim(), note: '' }),
    );
    setSending(false);
    if (moment === null) return;
    props.onTaken(moment.id);
    props.onClose();
  };
  return (
    <Dialog
      title={words.takeTitle}
      onClose={props.onClose}
      actions={
        <>
          <Button onPress={props.onClose}>{text.app.cancel}</Button>
          <Button look="go" onPress={take} isDisabled={isSending}>
            {words.takeVerb}
          </Button>
        </>
      }
    >
      <Field label={words.takeName}>
        {control => (
          <input
            {...control}
            className="input"
            autoFocus
            maxLength={200}
            value={name}
            onFocus={event => event.target.select()}
            onChange={event => setName(event.target.value)}
            onKeyDown={event => event.key === 'Enter' && void take()}
          />
        )}
      </Field>
      <p className="soft">{words.takeText(props.vm.spec.name)}</p>
    </Dialog>
  );
}
