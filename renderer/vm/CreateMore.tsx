// The create dialog's rarer fields: firmware, TPM, group, and who may log in to a cloud image.
import { useSpeech } from '../i18n/text.ts';
import type { CreateForm, CreateProblems } from '../state/create-form.ts';
import { Field } from '../ui/Field.tsx';
import { FirmwareFields } from './FirmwareFields.tsx';

interface PartProps {
  readonly form: CreateForm;
  readonly onChange: (update: (form: CreateForm) => CreateForm) => void;
}

export function MoreFields({ form, onChange }: PartProps) {
  const { text } = useSpeech();
  return (
    <details className="create-more">
      <summary>{text.setup.more}</summary>
      <div className="create-fields">
        {form.kind === 'sample' ? null : (
          <FirmwareFields value={form} onChange={change => onChange(old => ({ ...old, ...change }))} />
        )}
        <Field label={text.setup.about.group} help={text.setup.about.groupHelp}>
          {control => (
            <input
              {...control}
              className="input"
              value={form.group}
              maxLength={60}
              onChange={event => onChange(old => ({ ...old, group: event.target.value }))}
            />
          )}
        </Field>
      </div>
    </details>
  );
}

export function CloudFields({ form, problems, onChange }: PartProps & { readonly problems: CreateProblems }) {
  const { text } = useSpeech();
  const words = text.setup.cloud;
  const rows = [
    ['cloudUser', words.user, undefined],
    ['cloudKey', words.key, words.keyHelp],
    ['cloudPackages', words.packages, words.packagesHelp],
  ] as const;
  return (
    <details className="create-more" open={rows.some(([key]) => problems[key] !== undefined) || undefined}>
      <summary>{words.title}</summary>
      <div className="create-fields">
        {rows.map(([key, label, help]) => (
          <Field key={key} label={label} help={help} error={problems[key] ?? null}>
            {control => (
              <input
                {...control}
                className="input"
                value={form[key]}
                spellCheck={false}
                onChange={event => onChange(old => ({ ...old, [key]: event.target.value }))}
              />
            )}
          </Field>
        ))}
      </div>
    </details>
  );
}
