// The page of one VM: the header with state and verbs, and the tabs.
import { useState } from 'react';
import type { VmId } from '../../shared/ids.ts';
import type { VmSummary } from '../../shared/vm.ts';
import { shutDownVm } from '../api/commands.ts';
import { ScreenOf } from '../console/ScreenOf.tsx';
import { useSpeech } from '../i18n/text.ts';
import { MemoryTab } from '../memory/MemoryTab.tsx';
import { ForRole } from '../policy/ForRole.tsx';
import { useMay } from '../policy/role.ts';
import type { VmDialogName } from '../state/asked.ts';
import { goTo, VM_TABS, type VmTab } from '../state/navigation.ts';
import { HistoryTab } from '../timeline/HistoryTab.tsx';
import { Button } from '../ui/Button.tsx';
import { useVms } from '../ui/hooks.ts';
import { ErrorWords, Notice } from '../ui/Notice.tsx';
import { TabPanel, Tabs } from '../ui/Tabs.tsx';
import { isRunning } from '../view/attention.ts';
import { UndoDelete } from './DeletedVms.tsx';
import { PeekPage } from './PeekPage.tsx';
import { SettingsTab } from './SettingsTab.tsx';
import { SummaryTab } from './SummaryTab.tsx';
import { VmDialogs } from './VmDialogs.tsx';
import { VmHeader } from './VmHeader.tsx';

function TabBody(props: { readonly vm: VmSummary; readonly tab: VmTab }) {
  switch (props.tab) {
    case 'summary':
      return <SummaryTab vm={props.vm} />;
    case 'console':
      return (
        <ForRole needs="console.open">
          <ScreenOf vm={props.vm} />
        </ForRole>
      );
    case 'memory':
      return <MemoryTab vm={props.vm} />;
    case 'history':
      return <HistoryTab vm={props.vm} />;
    case 'settings':
      return <SettingsTab vm={props.vm} />;
  }
}

/** Shown when a guest was asked to shut down and did not: the person decides. */
function StillRuns(props: { readonly vm: VmSummary }) {
  const { text } = useSpeech();
  const [dialog, setDialog] = useState<VmDialogName | null>(null);
  return (
    <>
      <Button needs="vm.stop" onPress={() => shutDownVm(props.vm.spec.id)}>
        {text.setup.stillRuns}
      </Button>
      <Button needs="vm.stop" onPress={() => setDialog('force')}>
        {text.vm.force}
      </Button>
      <VmDialogs vm={props.vm} dialog={dialog} onClose={() => setDialog(null)} />
    </>
  );
}

export function VmPage(props: { readonly vmId: VmId; readonly tab: VmTab }) {
  const { text } = useSpeech();
  const vm = useVms().find(other => other.spec.id === props.vmId);
  const mayUse = useMay('console.open');
  if (vm === undefined) {
    return (
      <div className="page empty-page">
        <h1>{text.vm.gone}</h1>
        <p className="soft">{text.vm.goneText}</p>
        <UndoDelete vmId={props.vmId} />
        <Button onPress={() => goTo({ kind: 'overview' })}>{text.vm.backToOverview}</Button>
      </div>
    );
  }
  const { error } = vm.state;
  const { peek } = vm.spec;
  if (peek !== null) return <PeekPage vm={vm} peek={peek} />;
  return (
    <>
      <VmHeader vm={vm} tab={props.tab} />
      <Tabs
        label={text.vm.tabsLabel}
        tabs={VM_TABS}
        tab={props.tab}
        names={text.vm.tabs}
        panelId="tab-panel"
        off={mayUse ? [] : ['console']}
        onSelect={tab => goTo({ kind: 'vm', vmId: props.vmId, tab })}
      />
      <TabPanel panelId="tab-panel" tab={props.tab}>
        {error !== null && props.tab !== 'console' ? (
          <div className="panel-notice">
            <Notice
              tone="bad"
              title={text.vm.errorTitle}
              action={error.code === 'vm.timeout' && isRunning(vm) ? <StillRuns vm={vm} /> : undefined}
            >
              <ErrorWords body={error} />
            </Notice>
          </div>
        ) : null}
        <TabBody vm={vm} tab={props.tab} />
      </TabPanel>
    </>
  );
}
