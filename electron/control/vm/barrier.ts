// The instant a running VM's points are taken at: its guest's file systems frozen by the agent inside, or its memory saved
// and the guest stopped since. Whatever fails, the guest goes on.
import * as z from 'zod';
import { Fault } from '../../../shared/result.ts';
import type { AgentLine } from '../qga/line.ts';
import type { QmpSession } from '../qmp/session.ts';
import type { BarrierNote } from './left-over.ts';
import type { OnStep, SupervisorPorts, VmFolders } from './supervisor-port.ts';
import { migrateToFile, type SaveInput, saveMemory } from './suspended.ts';
import { delay } from './wait.ts';

/** A guest writes all it has before it is frozen. */
const FREEZE_MS = 15_000;
/** Quickly at first; a guest its owner paused cannot answer before it goes on. */
const THAW = { timeoutMs: 5_000, gapMs: 1_000, quickTries: 30, slowGapMs: 15_000 };

const noteSchema = z.object({ kind: z.enum(['frozen', 'memory']), wasRunning: z.boolean() });
const notePath = ({ home }: VmFolders): string => `${home}/barrier.json`;

export const readBarrierNote = (folders: VmFolders, ports: Pick<SupervisorPorts, 'readJson'>) =>
  noteSchema.safeParse(ports.readJson(notePath(folders))).data ?? null;

export const dropBarrierNote = (folders: VmFolders, ports: Pick<SupervisorPorts, 'removeFile'>): void =>
  ports.removeFile(notePath(folders));

/** Durable, before a guest is frozen or stopped: whoever comes next lets it go on. */
const noteBarrier = (
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'writeJson'>,
  note: BarrierNote,
): void => ports.writeJson(notePath(folders), note);

/** At a barrier its owner paused it, or let it go on: so it is after it, also for whoever comes next. */
export function noteOwner(
  folders: VmFolders,
  ports: Pick<SupervisorPorts, 'readJson' | 'writeJson'>,
  wasRunning: boolean,
): void {
  // A frozen one must run to be thawed.
  if (readBarrierNote(folders, ports)?.kind === 'memory')
    noteBarrier(folders, ports, { kind: 'memory', wasRunning });
}

export interface BarrierInput {
  readonly agent: AgentLine;
  readonly folders: VmFolders;
  readonly ports: Pick<SupervisorPorts, 'clock' | 'writeJson' | 'removeFile' | 'log'>;
}

/** `commit` while the guest's file systems are quiet, or, not `isFrozen`, while they are as they are. */
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
      // It may freeze yet, after it was not waited for any more.
      () => false,
    );
    return { value: await commit(), isFrozen };
  } finally {
    await thaw(input);
  }
}

/** Also of one that was not frozen, where it does nothing. Tried as long as the VM lives and nobody else freezes it. */
export async function thaw({ agent, folders, ports }: BarrierInput): Promise<void> {
  const isOwn = agent.claim();
  if (await thawOnce(agent)) return dropBarrierNote(folders, ports);
  void (async () => {
    for (let n = 1; ; n++) {
      await delay(ports.clock, n <= THAW.quickTries ? THAW.gapMs : THAW.slowGapMs);
      // The next barrier thaws what it froze: not in its middle.
      if (!isOwn()) return;
      if (await thawOnce(agent)) return isOwn() ? dropBarrierNote(folders, ports) : undefined;
      if (n === THAW.quickTries)
        ports.log(`${folders.home}: the agent inside does not say that its file systems are thawed`);
    }
  })();
}

/** One that refuses the command froze nothing. */
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
  /** As its owner wants it now. */
  readonly isRunWanted: () => boolean;
  readonly signal: AbortSignal;
  readonly onStep: OnStep;
  readonly stays: Stays;
}

/** Told where the guest did not go on: the barrier's note stays until `wentOn`. */
export type Stays = (wentOn: () => void) => void;

interface GoOnInput extends Pick<MemoryBarrierInput, 'qmp' | 'folders' | 'ports' | 'isRunWanted' | 'stays'> {
  /** Of the note, when it goes on. */
  readonly drop?: () => void;
}

/** Whatever `cont` says, only what ran takes its disks back into use; a machine that was paused is so again at once. */
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
    // Its owner let it go on just now.
    if (isRunWanted()) goesOn = await goOnce();
  }
  if (goesOn !== null) drop();
  else if (isRunWanted() && qmp.isOpen) stays(drop);
}

/**
 * L4: `commit` copies firmware variables and TPM state beside the points, which a running guest writes whenever it likes: of
 * the very instant of its disks only while it stands still. A frozen one is noted already.
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

/** `commit` at the instant `memoryPath` holds the guest's memory of; the guest runs until its last pages are saved. */
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

/** Its memory saved and the guest stopped; what fails leaves it going on, also where control dies in between. */
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
