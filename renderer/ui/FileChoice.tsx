// Chooses a file of the person's: by native dialog in the desktop shell, by upload in a browser.
import { useRef, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import { errorBodyOf } from '../api/commands.ts';
import { desktopShell, readPicked } from '../api/shell.ts';
import { uploadFile } from '../api/upload.ts';
import { useSpeech } from '../i18n/text.ts';
import type { ChosenFile } from '../state/create-form.ts';
import { formatBytes, formatPercent } from '../view/format.ts';
import { Button } from './Button.tsx';
import { Field } from './Field.tsx';
import { ErrorWords } from './Notice.tsx';

export function FileChoice(props: {
  readonly kind: 'disk' | 'iso';
  /** File name endings, in the form of the browser's `accept`. */
  readonly accept: string;
  readonly file: ChosenFile | null;
  readonly problem: string | null;
  readonly onChange: (file: ChosenFile | null) => void;
}) {
  const { text, language } = useSpeech();
  const { file: chosen, onChange } = props;
  const input = useRef<HTMLInputElement | null>(null);
  const abort = useRef<AbortController | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  const upload = async (file: File): Promise<void> => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    setError(null);
    onChange({ kind: 'uploading', name: file.name, share: 0 });
    try {
      const picked = await uploadFile(file, {
        signal: mine.signal,
        onProgress: share => {
          if (abort.current === mine) onChange({ kind: 'uploading', name: file.name, share });
        },
      });
      if (abort.current === mine) onChange({ kind: 'ready', ...picked });
    } catch (fault) {
      if (abort.current !== mine) return;
      onChange(null);
      setError(errorBodyOf(fault));
    }
  };
  const choose = async (): Promise<void> => {
    const shell = desktopShell();
    if (shell === null) return input.current?.click();
    setError(null);
    try {
      const picked = readPicked(await shell.pickFile(props.kind));
      if (picked !== null) onChange({ kind: 'ready', ...picked });
    } catch (fault) {
      setError(errorBodyOf(fault));
    }
  };
  const words =
    chosen === null
      ? null
      : chosen.kind === 'uploading'
        ? text.create.uploading(chosen.name, formatPercent(chosen.share, language))
        : text.create.ready(chosen.name, formatBytes(chosen.bytes, language));
  return (
    <Field label={text.create.file} error={props.problem}>
      {control => (
        <div className="file-choice">
          <input
            {...control}
            ref={input}
            type="file"
            className="file-input"
            accept={props.accept}
            onChange={event => {
              const file = event.target.files?.[0];
              if (file !== undefined) void upload(file);
            }}
          />
          <Button onPress={choose}>{chosen === null ? text.create.choose : text.create.chooseOther}</Button>
          {words === null ? null : <span className="file-name">{words}</span>}
          {chosen?.kind === 'uploading' ? (
            <progress aria-label={words ?? ''} max={1} value={chosen.share} />
          ) : null}
          {error === null ? null : (
            <div className="field-error" role="alert">
              <ErrorWords body={error} />
            </div>
          )}
        </div>
      )}
    </Field>
  );
}
