// The frame of the window: host bar on top, VMs at the side, the current place between, dialogs over it.
import { useEffect } from 'react';
import { useStore } from 'zustand';
import { ActivityPage } from './activity/ActivityPage.tsx';
import { pendingStartStore } from './api/commands.ts';
import { HelpPage } from './help/HelpPage.tsx';
import { useSpeech } from './i18n/text.ts';
import { FreeDialog } from './memory/FreeDialog.tsx';
import { HostBar } from './memory/HostBar.tsx';
import { StartPreviewDialog } from './memory/StartPreviewDialog.tsx';
import { TrialVoice } from './memory/TrialVoice.tsx';
import { ManagedDialog } from './policy/ManagedDialog.tsx';
import { PolicyBanner } from './policy/PolicyBanner.tsx';
import { RoleStrip } from './policy/RoleStrip.tsx';
import { navigationStore, openDialog } from './state/navigation.ts';
import { ConnectionBanner, ConnectionScreen } from './ui/Connection.tsx';
import { ErrorStack } from './ui/ErrorStack.tsx';
import { useService } from './ui/hooks.ts';
import { Palette } from './ui/Palette.tsx';
import { onShortcut } from './ui/shortcuts.ts';
import { TaskStrip } from './ui/TaskStrip.tsx';
import { CreateDialog } from './vm/CreateDialog.tsx';
import { DoctorDialog } from './vm/DoctorDialog.tsx';
import { Overview } from './vm/Overview.tsx';
import { PreferencesDialog } from './vm/PreferencesDialog.tsx';
import { Sidebar } from './vm/Sidebar.tsx';
import { VmPage } from './vm/VmPage.tsx';

function Place() {
  const place = useStore(navigationStore, state => state.place);
  switch (place.kind) {
    case 'vm':
      return <VmPage key={place.vmId} vmId={place.vmId} tab={place.tab} />;
    case 'activity':
      return <ActivityPage tab={place.tab} />;
    case 'help':
      return <HelpPage page={place.page} />;
    case 'overview':
      return <Overview />;
  }
}

function Dialogs() {
  const dialog = useStore(navigationStore, state => state.dialog);
  const start = useStore(pendingStartStore, state => state.start);
  const close = (): void => openDialog(null);
  if (start !== null) {
    return <StartPreviewDialog start={start} onClose={() => pendingStartStore.setState({ start: null })} />;
  }
  switch (dialog) {
    case 'create':
      return <CreateDialog onClose={close} />;
    case 'palette':
      return <Palette onClose={close} />;
    case 'settings':
      return <PreferencesDialog onClose={close} />;
    case 'free':
      return <FreeDialog onClose={close} />;
    case 'managed':
      return <ManagedDialog onClose={close} />;
    case 'doctor':
      return <DoctorDialog onClose={close} />;
    default:
      return null;
  }
}

export function App() {
  const { text } = useSpeech();
  const connection = useService(state => state.connection);
  const known = useService(state => state.vms !== null);
  useEffect(() => {
    // In the capture phase: react-aria's buttons stop key presses from bubbling up.
    window.addEventListener('keydown', onShortcut, true);
    return () => window.removeEventListener('keydown', onShortcut, true);
  }, []);
  if (connection === 'signed-out' || connection === 'incompatible' || !known) return <ConnectionScreen />;
  return (
    <div className="window">
      <a className="skip" href="#main">
        {text.app.skip}
      </a>
      <HostBar />
      <Sidebar />
      <main className="main" id="main" tabIndex={-1}>
        <ConnectionBanner />
        <RoleStrip />
        <PolicyBanner />
        <Place />
        <TaskStrip />
      </main>
      <ErrorStack />
      <TrialVoice />
      <Dialogs />
    </div>
  );
}
