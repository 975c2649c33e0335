// The settings page of a VM: its name, setup and disks, and deleting it. Its memory has a page of its own.
import { useState } from 'react';
import type { VmSummary } from '../../shared/vm.ts';
import { isOver } from '../../shared/vm-phase.ts';
import { useSpeech } from '../i18n/text.ts';
import { ManagedMark, useLock } from '../policy/ManagedMark.tsx';
import type { VmDialogName } from '../state/asked.ts';
import { Button } from '../ui/Button.tsx';
import { DiskList } from './DiskList.tsx';
import { DriveSection } from './DriveSection.tsx';
import { SetupSections } from './SetupSections.tsx';
import { VmDialogs } from './VmDialogs.tsx';

export function SettingsTab(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const { vm } = props;
  const [dialog, setDialog] = useState<VmDialogName | null>(null);
  const keeps = useLock('vm.delete');
  const canDelete = isOver(vm.state.phase);
  return (
    <div className="page settings-page">
      <section className="setting">
        <div>
          <h2>{text.settings.name}</h2>
          <p className="soft wrap">{vm.spec.name}</p>
        </div>
        <Button needs="vm.rename" onPress={() => setDialog('rename')}>
          {text.vm.rename}
        </Button>
      </section>
      <SetupSections vm={vm} />
      <DiskList vm={vm} />
      <DriveSection vm={vm} />
      <section className="setting">
        <div>
          <h2>{text.settings.remove}</h2>
          <p className="soft">{text.settings.removeText}</p>
          <ManagedMark rule={keeps} />
        </div>
        <Button
          needs="vm.delete"
          onPress={() => setDialog('delete')}
          isDisabled={!canDelete || keeps !== null}
        >
          {text.vm.delete}
        </Button>
      </section>
      <VmDialogs vm={vm} dialog={dialog} onClose={() => setDialog(null)} />
    </div>
  );
}
