// A filter above a log.
import type { VmId } from '../../shared/ids.ts';
import { useSpeech } from '../i18n/text.ts';
import { useVms } from '../ui/hooks.ts';

export function Choice<T extends string>(props: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (readonly [value: T, label: string])[];
  readonly onChange: (value: T) => void;
}) {
  return (
    <label className="choice">
      <span>{props.label}</span>
      <select
        className="select"
        value={props.value}
        onChange={event => {
          const found = props.options.find(([value]) => value === event.target.value);
          if (found !== undefined) props.onChange(found[0]);
        }}
      >
        {props.options.map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </label>
  );
}

export function VmChoice(props: {
  readonly value: VmId | null;
  readonly onChange: (vmId: VmId | null) => void;
}) {
  const { text } = useSpeech();
  const vms = useVms();
  const options = [
    ['', text.activity.anyVm] as const,
    ...vms.map(({ spec }) => [spec.id as string, spec.name] as const),
  ];
  return (
    <Choice
      label={text.activity.vm}
      value={props.value ?? ''}
      options={options}
      onChange={id => props.onChange(vms.find(({ spec }) => spec.id === id)?.spec.id ?? null)}
    />
  );
}
