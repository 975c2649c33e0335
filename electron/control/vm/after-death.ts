// Mends a QEMU that outlived the control which was saving its memory, loading it, or taking a moment of it.
import { dropBarrierNote, readBarrierNote, thaw } from './barrier.ts';
import { remedyOf } from './left-over.ts';
import type { Live } from './live.ts';
import type { SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { forgetSavedMemory, noteResuming, readSaved } from './suspended.ts';

/** What the guest does from now on; `suspended`: its memory is saved whole, and its QEMU is to be ended. */
export async function mendLeftOver(
  { qmp, guest, agent }: Live,
  folders: VmFolders,
  ports: SupervisorPorts,
): Promise<'goes-on' | 'suspended'> {
  const { status } = await guest.status();
  const saved = readSaved(folders, ports);
  const note = readBarrierNote(folders, ports);
  const remedy = remedyOf({ status, hasSavedMemory: saved !== null, note });
  if (remedy !== 'none') ports.log(`${folders.home}: found ${status}: ${remedy}`);
  if (remedy === 'end-suspended' && saved !== null) {
    if (saved.isResuming) noteResuming(folders, ports, saved, false);
    dropBarrierNote(folders, ports);
    return 'suspended';
  }
  if (remedy === 'forget-saved') forgetSavedMemory(folders, ports);
  if (remedy === 'thaw') {
    // Paused: its firmware and TPM state was being copied beside its points.
    if (status === 'paused' && note?.wasRunning === true) await qmp.execute('cont');
    await thaw({ agent, folders, ports });
  } else {
    if (remedy === 'go-on') await qmp.execute('cont');
    // Its owner had paused it: it went on only so that QEMU takes its disks back into use.
    if (remedy === 'go-on' && note?.wasRunning === false) await qmp.execute('stop');
    dropBarrierNote(folders, ports);
  }
  return 'goes-on';
}
