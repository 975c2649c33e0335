// `ebb mem …`: shows memory and the ledger, sets ranges and policy, tries changes and takes them back.
import type { HostMemory, MemoryRange, VmMemory } from '../../../shared/memory.ts';
import type { VmSummary } from '../../../shared/vm.ts';
import { systemClock } from '../../platform/clock.ts';
import { clockText, kibText, table, timeText } from './output.ts';
import { pickVm } from './pick.ts';
import { type Output, type Run, type Session, theVm, vmNamed } from './session.ts';
import type { MEMORY_ROWS } from './table/memory.ts';

const HOST_WORDS: Readonly<Record<HostMemory['state'], string>> = {
  ok: '',
  low: ' This computer is low on memory.',
  critical: ' This computer runs out of memory: VMs give back what is missing.',
  emergency: ' This computer is out of memory: no VM is given more and none starts until that is over.',
};

type Rows = typeof MEMORY_ROWS;
type OfMaybeVm = Session<{ readonly VM: string | undefined }>;

async function chosen(session: OfMaybeVm): Promise<VmSummary[]> {
  const { vms } = await session.client.call('vm.list', {});
  return session.given.VM === undefined ? vms : [pickVm(vms, session.given.VM)];
}

const memoryRow = (name: string, memory: VmMemory): string[] => [
  name,
  kibText(memory.minKib),
  kibText(memory.targetKib),
  kibText(memory.actualKib),
  kibText(memory.usedKib),
  kibText(memory.maxKib),
  String(memory.weight),
  memory.balloon,
];

function hostText(host: HostMemory): string {
  const freed =
    host.freeUntil === null
      ? ''
      : ` VMs leave memory free until ${timeText(host.freeUntil)}; ebb mem free 0 ends that.`;
  const cap = host.capKib === null ? '' : `; at most ${kibText(host.capKib)} per VM`;
  return `${kibText(host.freeKib)} free of ${kibText(host.budgetKib)} for VMs${cap}; reserve ${kibText(host.reserveKib)}; squeeze ${Math.round(host.compressionRatio * 100)} %.${HOST_WORDS[host.state]}${freed}`;
}

const HEAD = ['VM', 'MIN', 'TARGET', 'ACTUAL', 'IN USE', 'MAX', 'WEIGHT', 'STATE'];

export const showMemory: Run<Rows['mem show']> = async session => {
  const { client, given } = session;
  const host = await client.call('memory.host', {});
  const vms = await chosen(session);
  const memories = await Promise.all(
    vms.map(async ({ spec }) => ({ spec, memory: await client.call('memory.show', { vmId: spec.id }) })),
  );
  const rows = memories.map(({ spec, memory }) => memoryRow(spec.name, memory));
  const text = `${table(HEAD, rows)}\n${hostText(host)}`;
  const [first] = memories;
  if (given.VM === undefined || first === undefined) return { text, json: host };
  const { trialEndsAt, before } = await client.call('memory.range-undo', { vmId: first.spec.id });
  const trial =
    trialEndsAt === null || before === null
      ? ''
      : `\nOn trial until ${timeText(trialEndsAt)}; then it is ${kibText(before.minKib)} – ${kibText(before.maxKib)} again.`;
  return { text: `${text}${trial}`, json: first.memory };
};

/** The range with the given bounds changed; the other stays. */
const rangeOf = (
  { min, max }: { readonly min: number | undefined; readonly max: number | undefined },
  { minKib, maxKib }: MemoryRange,
): MemoryRange => ({ minKib: min ?? minKib, maxKib: max ?? maxKib });

const laterText = ({ bootKib, maxKib }: VmMemory): string =>
  bootKib !== null && maxKib > bootKib ? ' The maximum applies at the next start.' : '';

export const setMemory: Run<Rows['mem set']> = async ({ client, given }) => {
  const { spec } = pickVm((await client.call('vm.list', {})).vms, given.VM);
  const { min, max, weight, balance } = given;
  const vmId = spec.id;
  let memory = await client.call('memory.show', { vmId });
  // The range goes first: it may be refused, and then nothing has been changed.
  if (min !== undefined || max !== undefined)
    memory = await client.call('memory.set-range', { vmId, ...rangeOf(given, spec) });
  if (weight !== undefined || balance !== undefined)
    memory = await client.call('memory.set-balance', {
      vmId,
      balanced: balance === undefined ? memory.balanced : balance === 'on',
      weight: weight ?? memory.weight,
    });
  const share = memory.balanced ? `weight ${memory.weight}` : 'not balanced';
  return {
    text: `${spec.name}: ${kibText(memory.minKib)} – ${kibText(memory.maxKib)}, ${share}.${laterText(memory)}`,
    json: memory,
  };
};

/** Words of the command line for the modes of the contract. */
const MODES = { need: 'demand', ratio: 'proportional' } as const;
const orNull = (amount: number | 'none'): number | null => (amount === 'none' ? null : amount);

export const setPolicy: Run<Rows['mem policy']> = async ({ client, given }) => {
  const { reserve, budget, cap, mode } = given;
  const host = await client.call('memory.set-policy', {
    ...(mode === undefined ? {} : { mode: MODES[mode] }),
    ...(reserve === undefined ? {} : { reserveKib: reserve }),
    ...(budget === undefined ? {} : { budgetKib: orNull(budget) }),
    ...(cap === undefined ? {} : { capKib: orNull(cap) }),
  });
  return {
    text: `VMs may use ${kibText(host.budgetKib)}, each ${host.capKib === null ? 'as much as it is given' : `at most ${kibText(host.capKib)}`}; ${kibText(host.reserveKib)} are kept for this computer. ${host.mode === 'demand' ? 'Memory goes where it is needed.' : 'Everyone gets the same share of its range.'}`,
    json: host,
  };
};

const REPLAYED_MOST = 200;

async function replayed(session: Session, limit: number): Promise<Output> {
  const replay = await session.client.call('memory.replay', { limit });
  const { checked, differing } = replay;
  const text =
    differing.length === 0
      ? `${checked} plans made again: all the same.`
      : `${checked} plans made again: ${differing.length} differ (${differing.slice(0, 10).join(', ')}). Either another version of Ebb made them, or the ledger is damaged.`;
  return { text, json: replay };
}

export const why: Run<Rows['mem why']> = async session => {
  const { replay, limit, VM } = session.given;
  if (replay) return replayed(session, Math.min(limit ?? REPLAYED_MOST, REPLAYED_MOST));
  const vmId = VM === undefined ? null : (await vmNamed(session, VM)).spec.id;
  const { entries } = await session.client.call('memory.ledger', { vmId, limit: limit ?? 20 });
  return {
    text: entries.map(entry => `${timeText(entry.at)}  ${entry.text}`).join('\n') || 'Nothing has moved yet.',
    json: entries,
  };
};

export const showHistory: Run<Rows['mem history']> = async session => {
  const { spec } = await theVm(session);
  const sinceMs = Math.max(0, systemClock.wallMs() - session.given.since * 1000);
  const { samples } = await session.client.call('memory.history', { vmId: spec.id, sinceMs });
  const rows = samples.map(({ at, targetKib, actualKib, usedKib }) => [
    clockText(at),
    kibText(targetKib),
    kibText(actualKib),
    kibText(usedKib),
  ]);
  const none = `Nothing is known of the memory of ${spec.name} in that time.`;
  return {
    text: rows.length === 0 ? none : table(['AT', 'TARGET', 'ACTUAL', 'IN USE'], rows),
    json: samples,
  };
};

export const tryMemory: Run<Rows['mem try']> = async session => {
  const { spec } = await theVm(session);
  const { minKib, maxKib } = rangeOf(session.given, spec);
  const seconds = session.given.for;
  const undo = await session.client.call('memory.try-range', { vmId: spec.id, minKib, maxKib, seconds });
  const { before } = undo;
  const back =
    before === null
      ? ''
      : ` Then it is ${kibText(before.minKib)} – ${kibText(before.maxKib)} again, unless you say: ebb mem keep ${spec.name}`;
  return {
    text: `${spec.name}: ${kibText(minKib)} – ${kibText(maxKib)} for ${seconds} s.${back}`,
    json: undo,
  };
};

export const keepMemory: Run<Rows['mem keep']> = async session => {
  const { spec } = await theVm(session);
  const json = await session.client.call('memory.keep-range', { vmId: spec.id });
  return { text: `${spec.name}: ${kibText(spec.minKib)} – ${kibText(spec.maxKib)} stays.`, json };
};

export const undoMemory: Run<Rows['mem undo']> = async session => {
  const { spec } = await theVm(session);
  const memory = await session.client.call('memory.undo-range', { vmId: spec.id });
  return { text: `${spec.name}: ${kibText(memory.minKib)} – ${kibText(memory.maxKib)} again.`, json: memory };
};

export const freeMemory: Run<Rows['mem free']> = async session => {
  const { SIZE, for: seconds } = session.given;
  const kib = SIZE === '0' ? 0 : SIZE;
  const preview = await session.client.call('memory.free', { kib, seconds });
  const held =
    preview.changes.length === 0 ? '' : ` They leave it free for ${seconds} s; ebb mem free 0 ends that.`;
  return { text: `${preview.sentence}${held}`, json: preview };
};
