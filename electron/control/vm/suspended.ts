// Saved memory of a VM: `<home>/suspended/{memory,record.json}`. The record is written last and is what makes a saved
// state exist; it holds the exact arguments (L4).
import * as z from 'zod';
import type { VmId } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Packing } from '../../platform/stream-file.ts';
import type { QmpSession } from '../qmp/session.ts';
import { type RunRecord, runRecordSchema } from './run-record.ts';
import type { OnStep, SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { delay, until } from './wait.ts';

const migrationSchema = z.object({
  status: z.string().optional(),
  'error-desc': z.string().optional(),
  ram: z.object({ transferred: z.number(), total: z.number(), remaining: z.number() }).optional(),
});
const POLL_MS = 50;
/** Then the guest is stopped: if it writes faster than its memory is saved, the save would never end. */
const LIVE_MS = 20_000;
const LOAD = { timeoutMs: 300_000, stepMs: 25 };
/** Memory goes to a local file: nothing is gained by QEMU's default throttle. */
const UNLIMITED_BYTES_PER_SECOND = 2 ** 40;

/** The packing of new saved states; each saved state names its own. */
export const PACKING: Packing = 'zstd';

const folderOf = (folders: Pick<VmFolders, 'home'>): string => `${folders.home}/suspended`;
export const memoryPath = (folders: Pick<VmFolders, 'home'>): string => `${folderOf(folders)}/memory`;
const recordPath = (folders: Pick<VmFolders, 'home'>): string => `${folderOf(folders)}/record.json`;

/** `isResuming`: its guest may have run since, unless a QEMU that never ran it is still there. */
const savedSchema = runRecordSchema.extend({ isResuming: z.boolean().default(false) });

export function readSaved(
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'readJson'>,
): z.infer<typeof savedSchema> | null {
  const parsed = savedSchema.safeParse(ports.readJson(recordPath(folders)));
  return parsed.success ? parsed.data : null;
}

/** Null also where the guest may have run since: earlier memory must not meet later disks. */
export function readSavedRecord(
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'readJson'>,
): RunRecord | null {
  const saved = readSaved(folders, ports);
  if (saved === null || saved.isResuming) return null;
  const { isResuming: _, ...record } = saved;
  return record;
}

/** The saved machine that a start resumes; null: there is none. Faults: policy.denied. */
export function admitStart(vmId: VmId, folders: VmFolders, ports: SupervisorPorts): RunRecord | null {
  const saved = readSavedRecord(folders, ports);
  ports.admit(vmId, saved?.argv ?? null);
  return saved;
}

/** Durable before the guest runs; taken back where it did not run. */
export const noteResuming = (
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'writeJson'>,
  record: RunRecord,
  isResuming: boolean,
): void => ports.writeJson(recordPath(folders), { ...record, isResuming });

/** Removes the record first: without a record there is no saved state. */
export function forgetSavedMemory(
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'removeFile' | 'removeTree'>,
): void {
  ports.removeFile(recordPath(folders));
  ports.removeTree(folderOf(folders));
}

export interface SaveInput {
  readonly qmp: QmpSession;
  readonly record: RunRecord;
  readonly folders: VmFolders;
  readonly ports: SupervisorPorts;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
}

/** Leaves QEMU stopped with its memory saved and durable. On failure nothing saved remains. */
export async function saveMemory({ qmp, record, folders, ports, signal, onStep }: SaveInput): Promise<void> {
  forgetSavedMemory(folders, ports);
  ports.makePrivateFolder(folderOf(folders));
  await qmp.execute('stop');
  try {
    const [socketPath, filePath] = [`${folders.run}/save`, memoryPath(folders)];
    await migrateToFile({ qmp, ports, signal, onStep, socketPath, filePath });
    ports.writeJson(recordPath(folders), { ...record, packing: PACKING });
  } catch (cause) {
    forgetSavedMemory(folders, ports);
    throw cause;
  }
}

export interface MigrateInput {
  readonly qmp: QmpSession;
  readonly ports: SupervisorPorts;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
  readonly socketPath: string;
  readonly filePath: string;
}

/** The guest runs on until little is left to save, or for LIVE_MS if it keeps writing faster than that. */
export async function migrateToFile(input: MigrateInput): Promise<void> {
  const { qmp, ports, socketPath, filePath } = input;
  const receiving = await ports.receiveToFile(socketPath, filePath, PACKING);
  try {
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': UNLIMITED_BYTES_PER_SECOND });
    await qmp.execute('migrate', { uri: `unix:${socketPath}` });
    await watchMigration(input);
    await receiving.done;
  } catch (cause) {
    // A QEMU that no longer answers may still be sending: with nobody receiving, its migration ends, too.
    receiving.cancel();
    await qmp.execute('migrate_cancel').catch(() => undefined);
    ports.removeFile(filePath);
    throw cause;
  }
}

async function watchMigration({ qmp, ports, signal, onStep }: MigrateInput): Promise<void> {
  const liveUntilMs = ports.clock.monotonicMs() + LIVE_MS;
  let isStopped = false;
  for (;;) {
    const state = migrationSchema.parse(await qmp.execute('query-migrate'));
    if (state.status === 'completed') return;
    if (state.status === 'failed' || state.status === 'cancelled')
      throw new Fault(saveFailed(state['error-desc'] ?? state.status));
    if (state.ram !== undefined && state.ram.total > 0)
      onStep('saving memory', { done: state.ram.total - state.ram.remaining, total: state.ram.total });
    if (signal.aborted) await qmp.execute('migrate_cancel');
    if (!isStopped && ports.clock.monotonicMs() > liveUntilMs) {
      isStopped = true;
      await qmp.execute('stop');
    }
    await delay(ports.clock, POLL_MS);
  }
}

const saveFailed = (why: string): Fault['body'] => ({
  code: 'disk.io',
  what: `Saving the VM's memory failed: ${why}.`,
  safe: 'The VM runs on; nothing was lost.',
  todo: 'Check free disk space, then try again.',
});

/** Loads into a QEMU with the same arguments and `-incoming defer`; runs it, then forgets what was saved. */
export async function loadMemory(
  qmp: QmpSession,
  saved: RunRecord,
  folders: VmFolders,
  ports: SupervisorPorts,
): Promise<void> {
  const socketPath = `${folders.run}/load`;
  ports.removeFile(socketPath);
  await qmp.execute('migrate-incoming', { uri: `unix:${socketPath}` });
  await ports.sendFile(memoryPath(folders), socketPath, saved.packing);
  const loaded = await until(ports.clock, LOAD, async () => {
    const { status } = z.object({ status: z.string() }).parse(await qmp.execute('query-status'));
    return status === 'inmigrate' ? null : status;
  });
  if (loaded === null)
    throw new Fault({
      code: 'vm.timeout',
      what: 'QEMU did not finish reading the saved memory.',
      safe: 'The saved state is kept.',
      todo: 'Try again.',
    });
  noteResuming(folders, ports, saved, true);
  await qmp.execute('cont').catch((cause: unknown) => {
    // A QEMU that did not answer may run the guest.
    if (cause instanceof Fault && cause.body.code === 'qemu.refused')
      noteResuming(folders, ports, saved, false);
    throw cause;
  });
  forgetSavedMemory(folders, ports);
}

/** Suspends the VM with memory that was saved with a moment. `link` puts the bytes in place. */
export function placeSaved(
  record: RunRecord,
  link: (path: string) => void,
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'writeJson' | 'removeFile' | 'removeTree' | 'makePrivateFolder'>,
): void {
  forgetSavedMemory(folders, ports);
  ports.makePrivateFolder(folderOf(folders));
  link(memoryPath(folders));
  ports.writeJson(recordPath(folders), record);
}
