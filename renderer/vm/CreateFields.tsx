// The fields of the create dialog.
import { useState } from 'react';
import type { HostMemory } from '../../shared/memory.ts';
import { diskFormatSchema, osKindSchema } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { RangeFields, RangeHints } from '../memory/RangeFields.tsx';
import { RangeSlider } from '../memory/RangeSlider.tsx';
import { ManagedMark, useRule } from '../policy/ManagedMark.tsx';
import { type CreateForm, type CreateProblems, withOs } from '../state/create-form.ts';
import { Field } from '../ui/Field.tsx';
import { FileChoice } from '../ui/FileChoice.tsx';
import { formatKib } from '../view/format.ts';
import { memoryScale } from '../view/memory-scale.ts';
import { CloudFields, MoreFields } from './CreateMore.tsx';

interface FieldsProps {
  readonly form: CreateForm;
  readonly problems: CreateProblems;
  readonly host: HostMemory | null;
  readonly onChange: (update: (form: CreateForm) => CreateForm) => void;
}

function MemoryFields(props: FieldsProps) {
  const { text, language } = useSpeech();
  const { form } = props;
  const most = useRule('memory.vm.max');
  const range = { minKib: form.minKib, maxKib: form.maxKib };
  const budgetKib = props.host?.budgetKib ?? 0;
  const [held, setHeld] = useState(() => memoryScale(range, budgetKib));
  const set = (next: typeof range): void => props.onChange(old => ({ ...old, ...next }));
  return (
    <fieldset className="create-memory">
      <legend>{text.create.memory}</legend>
      <p className="soft">
        {text.create.memoryText} {text.create.overBudget(formatKib(budgetKib, language))}
      </p>
      <RangeSlider
        range={range}
        scale={held.endKib < range.maxKib ? memoryScale(range, budgetKib) : held}
        meters={null}
        onDrag={set}
        onRelease={() => setHeld(memoryScale(range, budgetKib))}
        onCancel={() => undefined}
      />
      <div className="range-fields">
        <RangeFields range={range} onChange={set} />
      </div>
      <RangeHints range={range} bootKib={null} />
      <ManagedMark rule={most} />
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
      {form.kind === 'sample' ? null : (
        <FileChoice
          kind={form.kind}
          accept={form.kind === 'iso' ? '.iso' : '.vhd,.vhdx,.qcow2,.vmdk,.img,.raw'}
          file={form.file}
          problem={problems.file ?? null}
          onChange={file => set('file', file)}
        />
      )}
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
                onChange={event => {
                  const os = osKindSchema.parse(event.target.value);
                  onChange(old => withOs(old, os, props.host));
                }}
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
      {form.kind === 'sample' ? null : <p className="soft">{text.setup.kindText[form.os]}</p>}
      <MemoryFields {...props} />
      {form.kind === 'disk' ? <CloudFields form={form} problems={problems} onChange={onChange} /> : null}
      <MoreFields form={form} onChange={onChange} />
    </div>
  );
}
