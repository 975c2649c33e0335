// Saved memory of a VM: `<home>/suspended/{memory,record.json}`. The record is written last and is what makes a saved
// state exist; it holds the exact arguments (L4).
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
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
const LOAD = { timeoutMs: 300_000, stepMs: 25 };
/** Memory goes to a local file: nothing is gained by QEMU's default throttle. */
const UNLIMITED_BYTES_PER_SECOND = 2 ** 40;

const folderOf = (folders: VmFolders): string => `${folders.home}/suspended`;
const memoryPath = (folders: VmFolders): string => `${folderOf(folders)}/memory`;
const recordPath = (folders: VmFolders): string => `${folderOf(folders)}/record.json`;

export function readSavedRecord(
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'readJson'>,
): RunRecord | null {
  const parsed = runRecordSchema.safeParse(ports.readJson(recordPath(folders)));
  return parsed.success ? parsed.data : null;
}

export const hasSavedMemory = (folders: VmFolders, ports: Pick<SupervisorPorts, 'readJson'>): boolean =>
  readSavedRecord(folders, ports) !== null;

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
  const socketPath = `${folders.run}/save`;
  ports.removeTree(folderOf(folders));
  ports.makePrivateFolder(folderOf(folders));
  await qmp.execute('stop');
  const receiving = await ports.receiveToFile(socketPath, memoryPath(folders));
  try {
    await qmp.execute('migrate-set-parameters', { 'max-bandwidth': UNLIMITED_BYTES_PER_SECOND });
    await qmp.execute('migrate', { uri: `unix:${socketPath}` });
    await watchMigration(qmp, ports, signal, onStep);
    await receiving.done;
    ports.writeJson(recordPath(folders), record);
  } catch (cause) {
    receiving.cancel();
    ports.removeTree(folderOf(folders));
    throw cause;
  }
}

async function watchMigration(
  qmp: QmpSession,
  ports: SupervisorPorts,
  signal: AbortSignal,
  onStep: OnStep,
): Promise<void> {
  for (;;) {
    const state = migrationSchema.parse(await qmp.execute('query-migrate'));
    if (state.status === 'completed') return;
    if (state.status === 'failed' || state.status === 'cancelled')
      throw new Fault(saveFailed(state['error-desc'] ?? state.status));
    if (state.ram !== undefined && state.ram.total > 0)
      onStep('saving memory', { done: state.ram.total - state.ram.remaining, total: state.ram.total });
    if (signal.aborted) await qmp.execute('migrate_cancel');
    await delay(ports.clock, POLL_MS);
  }
}

const saveFailed = (why: string): Fault['body'] => ({
  code: 'disk.io',
  what: `Saving the VM's memory failed: ${why}.`,
  safe: 'The VM runs on; nothing was lost.',
  todo: 'Check free disk space, then try again.',
});

/** Into a QEMU started with the same arguments and `-incoming defer`; runs it, then forgets the saved state. */
export async function loadMemory(qmp: QmpSession, folders: VmFolders, ports: SupervisorPorts): Promise<void> {
  const socketPath = `${folders.run}/load`;
  ports.removeFile(socketPath);
  await qmp.execute('migrate-incoming', { uri: `unix:${socketPath}` });
  await ports.sendFile(memoryPath(folders), socketPath);
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
  await qmp.execute('cont');
  ports.removeTree(folderOf(folders));
}
