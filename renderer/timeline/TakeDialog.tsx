// Takes a point: a name, and the promise that nothing stops for it (T6).
import { useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { CheckField, Field } from '../ui/Field.tsx';
import { isRunning } from '../view/attention.ts';
import { formatKib, formatMoment } from '../view/format.ts';

export function TakeDialog(props: {
  readonly vm: VmSummary;
  readonly onClose: () => void;
  readonly onTaken: (id: string) => void;
}) {
  const { text, language } = useSpeech();
  const words = text.history;
  const [name, setName] = useState(() => words.takeDefault(formatMoment(Date.now(), language)));
  const [isSending, setSending] = useState(false);
  const [hasMemory, setHasMemory] = useState(false);
  const canSaveMemory = isRunning(props.vm);
  const take = async (): Promise<void> => {
    setSending(true);
    const wanted = { vmId: props.vm.spec.id, name: name.trim(), note: '' };
    if (hasMemory && canSaveMemory) {
      const started = await attempt(words.error.take, () => call('moment.take-with-memory', wanted));
      setSending(false);
      if (started !== null) props.onClose();
      return;
    }
    const moment = await attempt(words.error.take, () => call('moment.take', wanted));
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
          <Button needs="moment.take" look="go" onPress={take} isDisabled={isSending}>
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
      {canSaveMemory ? (
        <CheckField
          label={text.moments.withMemory}
          help={text.moments.withMemoryText(formatKib(props.vm.spec.maxKib, language))}
          isOn={hasMemory}
          onChange={setHasMemory}
        />
      ) : null}
    </Dialog>
  );
}
