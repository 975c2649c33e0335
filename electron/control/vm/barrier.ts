// Barriers: the instants at which a running VM's points are taken. The agent inside has frozen the guest's
// file systems, or its memory is saved and the guest stopped since. Whatever fails, the guest goes on.
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
import type { AgentLine } from '../qga/line.ts';
import type { QmpSession } from '../qmp/session.ts';
import type { BarrierNote } from './left-over.ts';
import type { OnStep, SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { migrateToFile, type SaveInput, saveMemory } from './suspended.ts';
import { delay } from './wait.ts';

/** A guest writes out all it has before it is frozen. */
const FREEZE_MS = 15_000;
/** Retries are quick at first, then slow: a guest that its owner paused cannot answer before it goes on. */
const THAW = { timeoutMs: 5_000, gapMs: 1_000, quickTries: 30, slowGapMs: 15_000 };

const noteSchema = z.object({ kind: z.enum(['frozen', 'memory']), wasRunning: z.boolean() });
const notePath = ({ home }: VmFolders): string => `${home}/barrier.json`;

export const readBarrierNote = (folders: VmFolders, ports: Pick<SupervisorPorts, 'readJson'>) =>
  noteSchema.safeParse(ports.readJson(notePath(folders))).data ?? null;

export const dropBarrierNote = (folders: VmFolders, ports: Pick<SupervisorPorts, 'removeFile'>): void =>
  ports.removeFile(notePath(folders));

/** Durable before a guest is frozen or stopped, so that the next control lets it go on. */
const noteBarrier = (
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'writeJson'>,
  note: BarrierNote,
): void => ports.writeJson(notePath(folders), note);

/** The owner paused the guest at a barrier, or let it go on: so it is after it, also for the next control. */
export function noteOwner(
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'readJson' | 'writeJson'>,
  wasRunning: boolean,
): void {
  // A frozen guest must run to be thawed.
  if (readBarrierNote(folders, ports)?.kind === 'memory')
    noteBarrier(folders, ports, { kind: 'memory', wasRunning });
}

export interface BarrierInput {
  readonly agent: AgentLine;
  readonly folders: VmFolders;
  readonly ports: Pick<SupervisorPorts, 'clock' | 'writeJson' | 'removeFile' | 'log'>;
}

/** Runs `commit` while the guest's file systems are frozen; `isFrozen` false: while they could not be. */
export async function atFrozen<T>(
  input: BarrierInput,
  commit: () => Promise<T>,
): Promise<{ readonly value: T; readonly isFrozen: boolean }> {
  const agent = await input.agent.get().catch(() => null);
  if (agent === null) return { value: await commit(), isFrozen: false };
  input.agent.claim();
  // Durable first: a frozen guest whose control died would never write again.
  noteBarrier(input.folders, input.ports, { kind: 'frozen', wasRunning: true });
  try {
    const isFrozen = await agent.ask('guest-fsfreeze-freeze', undefined, FREEZE_MS).then(
      frozen => typeof frozen === 'number' && frozen > 0,
      // The guest may still freeze after the deadline; it is thawed below in any case.
      () => false,
    );
    return { value: await commit(), isFrozen };
  } finally {
    await thaw(input);
  }
}

/** Harmless for a guest not frozen. Tried as long as the VM lives and no other barrier claims the agent. */
export async function thaw({ agent, folders, ports }: BarrierInput): Promise<void> {
  const isOwn = agent.claim();
  if (await thawOnce(agent)) return dropBarrierNote(folders, ports);
  void (async () => {
    for (let n = 1; ; n++) {
      await delay(ports.clock, n <= THAW.quickTries ? THAW.gapMs : THAW.slowGapMs);
      // The next barrier thaws what it froze itself: no thaw in its middle.
      if (!isOwn()) return;
      if (await thawOnce(agent)) return isOwn() ? dropBarrierNote(folders, ports) : undefined;
      if (n === THAW.quickTries)
        ports.log(`${folders.home}: the agent inside does not say that its file systems are thawed`);
    }
  })();
}

/** True also where the agent refuses the command: it can have frozen nothing. */
async function thawOnce(line: AgentLine): Promise<boolean> {
  try {
    const agent = await line.get();
    await agent?.ask('guest-fsfreeze-thaw', undefined, THAW.timeoutMs);
    return agent !== null;
  } catch (cause) {
    return cause instanceof Fault && cause.body.code === 'qemu.refused';
  }
}

export interface MemoryBarrierInput extends Omit<BarrierInput, 'agent'> {
  readonly qmp: QmpSession;
  readonly ports: SupervisorPorts;
  readonly memoryPath: string;
  /** Whether the owner wants the guest to run, as of the call. */
  readonly isRunWanted: () => boolean;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
  readonly stays: Stays;
}

/** Called where the guest did not go on. The barrier's note stays until `wentOn` is called. */
export type Stays = (wentOn: () => void) => void;

interface GoOnInput extends Pick<MemoryBarrierInput, 'qmp' | 'folders' | 'ports' | 'isRunWanted' | 'stays'> {
  /** Drops the note, once the guest goes on. */
  readonly drop?: () => void;
}

/** A paused guest also gets `cont` and, at once, `stop`: only what ran takes its disks back into use. */
async function goOn({
  qmp,
  folders,
  ports,
  isRunWanted,
  stays,
  drop = () => dropBarrierNote(folders, ports),
}: GoOnInput): Promise<void> {
  const goOnce = (): Promise<unknown> => qmp.execute('cont').catch(() => null);
  let goesOn = await goOnce();
  if (!isRunWanted()) {
    await qmp.execute('stop').catch(() => undefined);
    // Its owner let it go on in the meantime.
    if (isRunWanted()) goesOn = await goOnce();
  }
  if (goesOn !== null) drop();
  else if (isRunWanted() && qmp.isOpen) stays(drop);
}

/**
 * L4: `commit` copies firmware variables and TPM state beside the points. A running guest may write them any
 * time: only while it stands still are they of its disks' instant. A frozen guest has a note already.
 */
export async function atStandstill<T>(input: Omit<GoOnInput, 'drop'>, commit: () => Promise<T>): Promise<T> {
  const { qmp, folders, ports, isRunWanted } = input;
  const isNoted = readBarrierNote(folders, ports) !== null;
  if (!isNoted) noteBarrier(folders, ports, { kind: 'memory', wasRunning: isRunWanted() });
  try {
    await qmp.execute('stop');
    return await commit();
  } finally {
    await goOn({ ...input, ...(isNoted ? { drop: () => undefined } : {}) });
  }
}

/** Runs `commit` at the instant of the memory in `memoryPath`. The guest runs until its last pages are in. */
export async function atSavedMemory<T>(input: MemoryBarrierInput, commit: () => Promise<T>): Promise<T> {
  const { folders, ports, isRunWanted } = input;
  noteBarrier(folders, ports, { kind: 'memory', wasRunning: isRunWanted() });
  try {
    await migrateToFile({ ...input, socketPath: `${folders.run}/save`, filePath: input.memoryPath });
    return await commit();
  } finally {
    await goOn(input);
  }
}

/** Saves memory and leaves the guest stopped. If that fails or control dies meanwhile, the guest goes on. */
export async function saveOrGoOn(
  input: SaveInput & Pick<MemoryBarrierInput, 'isRunWanted' | 'stays'>,
): Promise<void> {
  const { folders, ports, isRunWanted } = input;
  noteBarrier(folders, ports, { kind: 'memory', wasRunning: isRunWanted() });
  try {
    await saveMemory(input);
  } catch (cause) {
    await goOn(input);
    throw cause;
  }
  dropBarrierNote(folders, ports);
}
