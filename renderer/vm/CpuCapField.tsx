// The field for a VM's processor cap; where this computer cannot enforce one, it says how it could.
import { useSpeech } from '../i18n/text.ts';
import { Field } from '../ui/Field.tsx';
import { useParts } from './use-parts.ts';

const PERCENT_MAX = 99;

/** Per cent of a typed cap. Null: empty, no limit. Undefined: it is no valid cap. */
export function cpuCapOf(typed: string): number | null | undefined {
  const words = typed.trim();
  if (words === '') return null;
  const percent = /^\d{1,2}$/.test(words) ? Number(words) : 0;
  return percent >= 1 && percent <= PERCENT_MAX ? percent : undefined;
}

export function CpuCapField(props: { readonly typed: string; readonly onChange: (typed: string) => void }) {
  const { text } = useSpeech();
  const words = text.setup.machine;
  const part = useParts()?.cpuCap;
  const isHere = part?.isHere ?? true;
  return (
    <>
      <Field
        label={words.cpuCap}
        help={words.cpuCapHelp}
        error={cpuCapOf(props.typed) === undefined ? words.cpuCapRule : null}
      >
        {control => (
          <input
            {...control}
            className="input short"
            inputMode="numeric"
            value={props.typed}
            maxLength={3}
            // An existing cap can be removed even where none can be enforced.
            disabled={!isHere && props.typed === ''}
            onChange={event => props.onChange(event.target.value)}
          />
        )}
      </Field>
      {isHere ? null : (
        <p className="missing-part" role="status">
          {words.cpuCapNot} {part?.fix ? <code>{part.fix}</code> : null}
        </p>
      )}
    </>
  );
}
