// The fields of the create dialog. A file comes by native dialog in the desktop shell, by upload in a browser.
import { useRef, useState } from 'react';
import type { ErrorBody } from '../../shared/errors.ts';
import { diskFormatSchema, osKindSchema } from '../../shared/vm.ts';
import { errorBodyOf } from '../api/commands.ts';
import { desktopShell, readPicked } from '../api/shell.ts';
import { uploadFile } from '../api/upload.ts';
import { useSpeech } from '../i18n/text.ts';
import { RangeFields, RangeHints } from '../memory/RangeFields.tsx';
import { RangeSlider } from '../memory/RangeSlider.tsx';
import type { ChosenFile, CreateForm, CreateProblems } from '../state/create-form.ts';
import { Button } from '../ui/Button.tsx';
import { Field } from '../ui/Field.tsx';
import { ErrorWords } from '../ui/Notice.tsx';
import { formatBytes, formatKib, formatPercent } from '../view/format.ts';
import { memoryScale } from '../view/memory-scale.ts';

interface FieldsProps {
  readonly form: CreateForm;
  readonly problems: CreateProblems;
  readonly budgetKib: number;
  readonly onChange: (update: (form: CreateForm) => CreateForm) => void;
}

function FileField(props: FieldsProps) {
  const { text, language } = useSpeech();
  const { form, problems } = props;
  const input = useRef<HTMLInputElement | null>(null);
  const abort = useRef<AbortController | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  const setFile = (file: ChosenFile | null): void => props.onChange(old => ({ ...old, file }));
  const upload = async (file: File): Promise<void> => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    setError(null);
    setFile({ kind: 'uploading', name: file.name, share: 0 });
    try {
      const picked = await uploadFile(file, {
        signal: mine.signal,
        onProgress: share => {
          if (abort.current === mine) setFile({ kind: 'uploading', name: file.name, share });
        },
      });
      if (abort.current === mine) setFile({ kind: 'ready', ...picked });
    } catch (fault) {
      if (abort.current !== mine) return;
      setFile(null);
      setError(errorBodyOf(fault));
    }
  };
  const choose = async (): Promise<void> => {
    const shell = desktopShell();
    if (shell === null) return input.current?.click();
    setError(null);
    try {
      const picked = readPicked(await shell.pickFile(form.kind === 'iso' ? 'iso' : 'disk'));
      if (picked !== null) setFile({ kind: 'ready', ...picked });
    } catch (fault) {
      setError(errorBodyOf(fault));
    }
  };
  const words =
    form.file === null
      ? null
      : form.file.kind === 'uploading'
        ? text.create.uploading(form.file.name, formatPercent(form.file.share, language))
        : text.create.ready(form.file.name, formatBytes(form.file.bytes, language));
  return (
    <Field label={text.create.file} error={problems.file ?? null}>
      {control => (
        <div className="file-choice">
          <input
            {...control}
            ref={input}
            type="file"
            className="file-input"
            accept={form.kind === 'iso' ? '.iso' : '.vhd,.vhdx,.qcow2,.vmdk,.img,.raw'}
            onChange={event => {
              const file = event.target.files?.[0];
              if (file !== undefined) void upload(file);
            }}
          />
          <Button onPress={choose}>
            {form.file === null ? text.create.choose : text.create.chooseOther}
          </Button>
          {words === null ? null : <span className="file-name">{words}</span>}
          {form.file?.kind === 'uploading' ? (
            <progress aria-label={words ?? ''} max={1} value={form.file.share} />
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

function MemoryFields(props: FieldsProps) {
  const { text, language } = useSpeech();
  const { form } = props;
  const range = { minKib: form.minKib, maxKib: form.maxKib };
  const [held, setHeld] = useState(() => memoryScale(range, props.budgetKib));
  const set = (next: typeof range): void => props.onChange(old => ({ ...old, ...next }));
  return (
    <fieldset className="create-memory">
      <legend>{text.create.memory}</legend>
      <p className="soft">
        {text.create.memoryText} {text.create.overBudget(formatKib(props.budgetKib, language))}
      </p>
      <RangeSlider
        range={range}
        scale={held.endKib < range.maxKib ? memoryScale(range, props.budgetKib) : held}
        meters={null}
        onDrag={set}
        onRelease={() => setHeld(memoryScale(range, props.budgetKib))}
        onCancel={() => undefined}
      />
      <div className="range-fields">
        <RangeFields range={range} onChange={set} />
      </div>
      <RangeHints range={range} bootKib={null} />
    </fieldset>
  );
}

export function CreateFields(props: FieldsProps) {
  const { text } = useSpeech();
  const { form, problems, onChange } = props;
  const set = <K extends keyof CreateForm>(key: K, value: CreateForm[K]): void =>
    onChange(old => ({ ...old, [key]: value }));
  const words = text.create;
  return (
    <div className="create-fields">
      {form.kind === 'sample' ? null : <FileField {...props} />}
      {form.kind === 'disk' ? (
        <Field label={words.format} help={words.formatHelp} error={problems.format ?? null}>
          {control => (
            <select
              {...control}
              className="select"
              value={form.format}
              onChange={event => set('format', diskFormatSchema.safeParse(event.target.value).data ?? '')}
            >
              <option value="">–</option>
              {diskFormatSchema.options.map(format => (
                <option key={format} value={format}>
                  {words.formats[format]}
                </option>
              ))}
            </select>
          )}
        </Field>
      ) : null}
      <div className="create-row">
        <Field label={words.name} error={problems.name ?? null}>
          {control => (
            <input
              {...control}
              className="input"
              value={form.name}
              maxLength={60}
              onChange={event => set('name', event.target.value)}
            />
          )}
        </Field>
        {form.kind === 'sample' ? null : (
          <Field label={words.os}>
            {control => (
              <select
                {...control}
                className="select"
                value={form.os}
                onChange={event => set('os', osKindSchema.parse(event.target.value))}
              >
                {osKindSchema.options.map(os => (
                  <option key={os} value={os}>
                    {text.os[os]}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
        <Field label={words.cpus} error={problems.cpus ?? null}>
          {control => (
            <input
              {...control}
              className="input short"
              inputMode="numeric"
              value={form.cpus}
              maxLength={3}
              onChange={event => set('cpus', event.target.value)}
            />
          )}
        </Field>
        {form.kind === 'disk' ? null : (
          <Field label={`${words.diskSize} (GiB)`} error={problems.diskGib ?? null}>
            {control => (
              <input
                {...control}
                className="input short"
                inputMode="decimal"
                value={form.diskGib}
                maxLength={8}
                onChange={event => set('diskGib', event.target.value)}
              />
            )}
          </Field>
        )}
      </div>
      <MemoryFields {...props} />
    </div>
  );
}
