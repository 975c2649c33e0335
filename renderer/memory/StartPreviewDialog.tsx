// Asks before a start that would squeeze other VMs: which VMs, from what, to what, and what stays safe (M6).
import { type PendingStart, startNow } from '../api/commands.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { ChangesTable } from './ChangesTable.tsx';

export function StartPreviewDialog(props: { readonly start: PendingStart; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { vm, preview } = props.start;
  const { name, id } = vm.spec;
  const title = preview.feasible ? text.preview.title(name) : text.preview.infeasible(name);
  return (
    <Dialog
      title={title}
      size="medium"
      onClose={props.onClose}
      actions={
        preview.feasible ? (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button
              look="go"
              autoFocus
              onPress={() => {
                props.onClose();
                void startNow(id);
              }}
            >
              {text.preview.verb}
            </Button>
          </>
        ) : (
          <Button onPress={props.onClose} autoFocus>
            {text.preview.understood}
          </Button>
        )
      }
    >
      <p>{text.spoken(preview.sentence)}</p>
      <ChangesTable changes={preview.changes} />
      {preview.feasible ? <p className="soft">{text.preview.safe}</p> : null}
    </Dialog>
  );
}
