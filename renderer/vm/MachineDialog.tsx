// Edits the processors, firmware, TPM and devices of a VM.
import { useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { isOver } from '../../shared/vm-phase.ts';
import { devicesSchema } from '../../shared/vm-setup.ts';
import { useSpeech } from '../i18n/text.ts';
import { CheckField, Field } from '../ui/Field.tsx';
import { CpuCapField, cpuCapOf } from './CpuCapField.tsx';
import { FirmwareFields } from './FirmwareFields.tsx';
import { SetupDialog } from './SetupDialog.tsx';

const CPUS_MAX = 64;

export function MachineDialog(props: { readonly vm: VmSummary; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { spec, state } = props.vm;
  const words = text.setup.machine;
  const [cpus, setCpus] = useState(String(spec.cpus));
  const [typedCap, setTypedCap] = useState(spec.cpuCapPercent === null ? '' : String(spec.cpuCapPercent));
  const [made, setMade] = useState({
    firmware: spec.firmware,
    hasTpm: spec.hasTpm,
    devices: spec.devices,
  });
  const [isNewest, setNewest] = useState(false);
  const isOff = isOver(state.phase);
  const count = /^\d+$/.test(cpus.trim()) ? Number(cpus) : 0;
  const isCount = count >= 1 && count <= CPUS_MAX;
  const cpuCapPercent = cpuCapOf(typedCap);
  const change =
    !isCount || cpuCapPercent === undefined
      ? null
      : { cpus: count, cpuCapPercent, ...(isOff ? made : {}), ...(isNewest ? { machineType: null } : {}) };
  return (
    <SetupDialog vm={props.vm} title={words.of(spec.name)} change={change} onClose={props.onClose}>
      <Field label={text.create.cpus} error={isCount ? null : text.create.cpusRule}>
        {control => (
          <input
            {...control}
            className="input short"
            inputMode="numeric"
            value={cpus}
            maxLength={3}
            onChange={event => setCpus(event.target.value)}
          />
        )}
      </Field>
      <CpuCapField typed={typedCap} onChange={setTypedCap} />
      {isOff ? null : <p className="soft">{text.setup.offFirst}</p>}
      <FirmwareFields
        value={made}
        isDisabled={!isOff}
        onChange={next => setMade(old => ({ ...old, ...next }))}
      />
      <Field label={words.devices}>
        {control => (
          <select
            {...control}
            className="select"
            value={made.devices}
            disabled={!isOff}
            onChange={event => {
              const devices = devicesSchema.parse(event.target.value);
              setMade(old => ({ ...old, devices }));
            }}
          >
            {devicesSchema.options.map(kind => (
              <option key={kind} value={kind}>
                {words.deviceKinds[kind]}
              </option>
            ))}
          </select>
        )}
      </Field>
      <div>
        <p className="soft">
          {words.type}: {spec.machineType ?? words.typeNone}
        </p>
        {spec.machineType === null ? null : (
          <CheckField label={words.newest} isOn={isNewest} onChange={setNewest} />
        )}
      </div>
    </SetupDialog>
  );
}
