// The frame of dialogs that change a VM's setup: saves the change; stays open if there is news to tell.
import { type ReactNode, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import type { VmSummary } from '../../shared/vm.ts';
import type { SetupChange } from '../../shared/vm-setup.ts';
import { errorBodyOf } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ErrorWords, Notice } from '../ui/Notice.tsx';

interface Saved {
  readonly isLater: boolean;
  readonly conflicts: readonly string[];
}

function SavedNotice(props: { readonly name: string; readonly saved: Saved }) {
  const { text } = useSpeech();
  const { isLater, conflicts } = props.saved;
  return (
    <>
      {isLater ? (
        <Notice tone="good" title={text.setup.nextStart} live="polite">
          <p>{text.setup.nextStartText(props.name)}</p>
        </Notice>
      ) : null}
      {conflicts.length > 0 ? (
        <Notice tone="warn" title={text.setup.conflictsTitle} live="polite">
          {conflicts.map(what => (
            <p key={what}>{what}</p>
          ))}
        </Notice>
      ) : null}
    </>
  );
}

export function SetupDialog(props: {
  readonly vm: VmSummary;
  readonly title: string;
  /** Null while what is typed is invalid. */
  readonly change: SetupChange | null;
  readonly onClose: () => void;
  readonly size?: 'small' | 'medium';
  readonly children: ReactNode;
}) {
  const { text } = useSpeech();
  const { vm, change } = props;
  const [saved, setSaved] = useState<Saved | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  const save = async (): Promise<void> => {
    if (change === null) return;
    setError(null);
    try {
      const { applies, conflicts } = await call('vm.configure', { vmId: vm.spec.id, change });
      const told = { isLater: applies === 'next-start', conflicts: conflicts.map(({ what }) => what) };
      if (told.isLater || told.conflicts.length > 0) setSaved(told);
      else props.onClose();
    } catch (fault) {
      setError(errorBodyOf(fault));
    }
  };
  return (
    <Dialog
      title={props.title}
      size={props.size ?? 'medium'}
      keepOpen
      onClose={props.onClose}
      actions={
        saved !== null ? (
          <Button look="go" onPress={props.onClose}>
            {text.app.close}
          </Button>
        ) : (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button needs="vm.configure" look="go" onPress={save} isDisabled={change === null}>
              {text.setup.save}
            </Button>
          </>
        )
      }
    >
      {error === null ? null : (
        <Notice tone="bad" title={text.app.failed(text.setup.save)} live="assertive">
          <ErrorWords body={error} />
        </Notice>
      )}
      {saved === null ? <div className="create-fields">{props.children}</div> : null}
      {saved === null ? null : <SavedNotice name={vm.spec.name} saved={saved} />}
    </Dialog>
  );
}
