// Writes a disk as it was at a point into a file that other programs open. The dialog says where the file
// goes and how far it is; closing it leaves the work to the background.
import { useState } from 'react';
import { type ExportFormat, exportFormatSchema, type Moment } from '../../shared/timeline.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { attempt } from '../api/commands.ts';
import { call } from '../api/connection.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { Dialog } from '../ui/Dialog.tsx';
import { Field } from '../ui/Field.tsx';
import { pointName } from '../view/points.ts';
import { FileProgress, type Writing } from './FileProgress.tsx';

export function ExportDialog(props: {
  readonly vm: VmSummary;
  readonly moment: Moment;
  readonly onClose: () => void;
}) {
  const { text } = useSpeech();
  const { vm, moment } = props;
  const [format, setFormat] = useState<ExportFormat>('qcow2');
  const [writing, setWriting] = useState<Writing | null>(null);
  const words = text.history.exporting;
  const write = async (): Promise<void> =>
    setWriting(
      await attempt(words.verb, () =>
        call('moment.export', { vmId: vm.spec.id, momentId: moment.id, format }),
      ),
    );
  return (
    <Dialog
      title={words.title(pointName(moment, text))}
      onClose={props.onClose}
      actions={
        writing === null ? (
          <>
            <Button onPress={props.onClose}>{text.app.cancel}</Button>
            <Button needs="moment.export" look="go" onPress={write}>
              {words.verb}
            </Button>
          </>
        ) : (
          <Button look="go" onPress={props.onClose}>
            {text.app.close}
          </Button>
        )
      }
    >
      {writing === null ? (
        <Field label={words.format} help={words.help}>
          {control => (
            <select
              {...control}
              className="select"
              value={format}
              onChange={event => setFormat(exportFormatSchema.parse(event.target.value))}
            >
              {exportFormatSchema.options.map(option => (
                <option key={option} value={option}>
                  {words.formats[option]}
                </option>
              ))}
            </select>
          )}
        </Field>
      ) : (
        <FileProgress writing={writing} />
      )}
    </Dialog>
  );
}
