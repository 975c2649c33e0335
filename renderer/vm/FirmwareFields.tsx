// The fields for firmware and TPM, with the command that installs what this computer lacks.
import { type Firmware, firmwareSchema } from '../../shared/vm-setup.ts';
import { useSpeech } from '../i18n/text.ts';
import { CheckField, Field } from '../ui/Field.tsx';
import { useParts } from './use-parts.ts';

export interface FirmwareChoice {
  readonly firmware: Firmware;
  readonly hasTpm: boolean;
}

export function FirmwareFields(props: {
  readonly value: FirmwareChoice;
  readonly isDisabled?: boolean;
  readonly onChange: (value: Partial<FirmwareChoice>) => void;
}) {
  const { text } = useSpeech();
  const { firmware, hasTpm } = props.value;
  const words = text.setup.machine;
  const parts = useParts();
  const needed = [
    firmware === 'uefi' ? parts?.uefi : firmware === 'uefi-secure' ? parts?.secureBoot : undefined,
    hasTpm ? parts?.tpm : undefined,
  ];
  const fixes = [...new Set(needed.flatMap(part => (part === undefined || part.isHere ? [] : [part.fix])))];
  return (
    <>
      <Field label={words.firmware} help={words.firmwareHelp}>
        {control => (
          <select
            {...control}
            className="select"
            value={firmware}
            disabled={props.isDisabled === true}
            onChange={event => props.onChange({ firmware: firmwareSchema.parse(event.target.value) })}
          >
            {firmwareSchema.options.map(kind => (
              <option key={kind} value={kind}>
                {words.firmwares[kind]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <CheckField
        label={words.tpm}
        isOn={hasTpm}
        isDisabled={props.isDisabled === true}
        onChange={isOn => props.onChange({ hasTpm: isOn })}
      />
      {fixes.map(fix => (
        <p key={fix} className="missing-part" role="status">
          {text.setup.missing} <code>{fix}</code>
        </p>
      ))}
    </>
  );
}
