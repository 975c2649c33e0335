// Edits a VM's group and notes, and whether it starts by itself.
import { useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { autostartSchema } from '../../shared/vm-setup.ts';
import { useSpeech } from '../i18n/text.ts';
import { CheckField, Field } from '../ui/Field.tsx';
import { useVms } from '../ui/hooks.ts';
import { SetupDialog } from './SetupDialog.tsx';

export function AboutDialog(props: { readonly vm: VmSummary; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { spec } = props.vm;
  const words = text.setup.about;
  const [group, setGroup] = useState(spec.group);
  const [notes, setNotes] = useState(spec.notes);
  const known = [...new Set(useVms().map(vm => vm.spec.group))].filter(name => name !== '');
  return (
    <SetupDialog
      vm={props.vm}
      title={words.of(spec.name)}
      change={{ group: group.trim(), notes }}
      onClose={props.onClose}
    >
      <Field label={words.group} help={words.groupHelp}>
        {control => (
          <>
            <input
              {...control}
              className="input"
              list="known-groups"
              value={group}
              maxLength={60}
              onChange={event => setGroup(event.target.value)}
            />
            <datalist id="known-groups">
              {known.map(name => (
                <option key={name} value={name} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field label={words.notes}>
        {control => (
          <textarea
            {...control}
            className="input"
            rows={6}
            value={notes}
            maxLength={4000}
            onChange={event => setNotes(event.target.value)}
          />
        )}
      </Field>
    </SetupDialog>
  );
}

const NUMBER = /^\d+$/;

export function AutostartDialog(props: { readonly vm: VmSummary; readonly onClose: () => void }) {
  const { text } = useSpeech();
  const { spec } = props.vm;
  const words = text.setup.autostart;
  const [isOn, setOn] = useState(spec.autostart !== null);
  const [order, setOrder] = useState(String(spec.autostart?.order ?? 1));
  const [delay, setDelay] = useState(String(spec.autostart?.delaySeconds ?? 0));
  const number = (value: string): number => (NUMBER.test(value.trim()) ? Number(value) : Number.NaN);
  const isOrder = autostartSchema.shape.order.safeParse(number(order)).success;
  const isDelay = autostartSchema.shape.delaySeconds.safeParse(number(delay)).success;
  const asked = { order: number(order), delaySeconds: number(delay) };
  const change = !isOn ? { autostart: null } : isOrder && isDelay ? { autostart: asked } : null;
  const fields = [
    [order, setOrder, words.order, words.orderHelp, isOrder ? null : words.orderRule],
    [delay, setDelay, words.delay, undefined, isDelay ? null : words.delayRule],
  ] as const;
  return (
    <SetupDialog
      vm={props.vm}
      title={words.of(spec.name)}
      change={change}
      onClose={props.onClose}
      size="small"
    >
      <CheckField label={words.on} isOn={isOn} onChange={setOn} />
      {!isOn
        ? null
        : fields.map(([value, set, label, help, error]) => (
            <Field key={label} label={label} help={help} error={error}>
              {control => (
                <input
                  {...control}
                  className="input short"
                  inputMode="numeric"
                  value={value}
                  maxLength={4}
                  onChange={event => set(event.target.value)}
                />
              )}
            </Field>
          ))}
    </SetupDialog>
  );
}
