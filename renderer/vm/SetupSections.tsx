// The lines of the settings page about a VM's setup, each with the dialog that changes it.
import { useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { useSpeech } from '../i18n/text.ts';
import { Button } from '../ui/Button.tsx';
import { AboutDialog, AutostartDialog } from './AboutDialog.tsx';
import { MachineDialog } from './MachineDialog.tsx';
import { NetworkDialog } from './NetworkDialog.tsx';

const DIALOGS = {
  about: AboutDialog,
  machine: MachineDialog,
  network: NetworkDialog,
  autostart: AutostartDialog,
} as const;
type DialogName = keyof typeof DIALOGS;

export function SetupSections(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const [open, setOpen] = useState<DialogName | null>(null);
  const { spec } = props.vm;
  const { about, machine, network, autostart } = text.setup;
  const dot = (parts: readonly string[]): string => parts.filter(part => part !== '').join(' · ');
  const lines: Readonly<Record<DialogName, { readonly title: string; readonly line: string }>> = {
    about: { title: about.title, line: dot([spec.group, spec.notes]) || about.none },
    machine: {
      title: machine.title,
      line: dot([
        machine.line(spec.cpus, machine.firmwares[spec.firmware]),
        spec.hasTpm ? machine.withTpm : '',
        spec.cpuCapPercent === null ? '' : machine.capped(spec.cpuCapPercent),
      ]),
    },
    network: {
      title: network.title,
      line: dot([
        network.modes[spec.network],
        spec.network === 'none' || spec.portForwards.length === 0
          ? ''
          : network.count(spec.portForwards.length),
      ]),
    },
    autostart: {
      title: autostart.title,
      line:
        spec.autostart === null
          ? autostart.off
          : autostart.line(spec.autostart.order, spec.autostart.delaySeconds),
    },
  };
  const Open = open === null ? null : DIALOGS[open];
  return (
    <>
      {(Object.keys(lines) as DialogName[]).map(name => (
        <section className="setting" key={name}>
          <div className="setting-text">
            <h2>{lines[name].title}</h2>
            <p className="soft wrap">{lines[name].line}</p>
          </div>
          <Button
            needs="vm.configure"
            label={`${lines[name].title}: ${text.setup.change}`}
            onPress={() => setOpen(name)}
          >
            {text.setup.change}
          </Button>
        </section>
      ))}
      {Open === null ? null : <Open vm={props.vm} onClose={() => setOpen(null)} />}
    </>
  );
}
