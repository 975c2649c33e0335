// Memory from the command line: what there is, what VMs may have, why it moved, and changes that can be taken back.
import type { HostMemory, MemoryRange } from '../../../shared/memory.ts';
import { parseCount, parseMemory, pickVm, UsageError } from './arguments.ts';
import { kibText, table, timeText } from './output.ts';
import { type Command, type Output, option, type Session, theVm } from './session.ts';

const HOST_WORDS: Readonly<Record<HostMemory['state'], string>> = {
  ok: '',
  low: ' This computer is low on memory.',
  critical: ' This computer runs out of memory: VMs give back what is missing.',
  emergency: ' This computer is out of memory: no VM is given more and none starts until that is over.',
};

async function showMemory(session: Session): Promise<Output> {
  const host = await session.client.call('memory.host', {});
  const { vms } = await session.client.call('vm.list', {});
  const word = session.words.plain[2];
  const chosen = word === undefined ? vms : [pickVm(vms, word)];
  const rows = await Promise.all(
    chosen.map(async ({ spec }) => {
      const memory = await session.client.call('memory.show', { vmId: spec.id });
      return [
        spec.name,
        kibText(memory.minKib),
        kibText(memory.targetKib),
        kibText(memory.actualKib),
        kibText(memory.usedKib),
        kibText(memory.maxKib),
        memory.balloon,
      ];
    }),
  );
  const freed =
    host.freeUntil === null
      ? ''
      : ` VMs leave memory free until ${timeText(host.freeUntil)}; ebb mem free 0 ends that.`;
  const cap = host.capKib === null ? '' : `; at most ${kibText(host.capKib)} per VM`;
  const line = `${kibText(host.freeKib)} free of ${kibText(host.budgetKib)} for VMs${cap}; reserve ${kibText(host.reserveKib)}; squeeze ${Math.round(host.compressionRatio * 100)} %.${HOST_WORDS[host.state]}${freed}`;
  const text = `${table(['VM', 'MIN', 'TARGET', 'ACTUAL', 'IN USE', 'MAX', 'STATE'], rows)}\n${line}`;
  return {
    text,
    json:
      word === undefined
        ? host
        : (host.vms.find(vm => vm.vmId === chosen[0]?.spec.id) ??
          (await session.client.call('memory.show', { vmId: chosen[0]?.spec.id ?? '' }))),
  };
}

/** As given; what is not, as it is. */
function rangeOf(session: Session, { minKib, maxKib }: MemoryRange): MemoryRange {
  const [min, max] = [option(session, 'min'), option(session, 'max')];
  if (min === undefined && max === undefined) throw new UsageError('--min or --max is missing.');
  return {
    minKib: min === undefined ? minKib : parseMemory(min, '--min'),
    maxKib: max === undefined ? maxKib : parseMemory(max, '--max'),
  };
}

async function setMemory(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const memory = await session.client.call('memory.set-range', { vmId: spec.id, ...rangeOf(session, spec) });
  const later =
    memory.bootKib !== null && memory.maxKib > memory.bootKib
      ? ' The maximum applies at the next start.'
      : '';
  return {
    text: `${spec.name}: ${kibText(memory.minKib)} – ${kibText(memory.maxKib)}.${later}`,
    json: memory,
  };
}

/** As people say it. */
const MODES: Readonly<Record<string, HostMemory['mode']>> = { need: 'demand', ratio: 'proportional' };

async function setPolicy(session: Session): Promise<Output> {
  const amount = (name: string): number | null | undefined => {
    const text = option(session, name);
    return text === undefined ? undefined : text === 'none' ? null : parseMemory(text, `--${name}`);
  };
  const reserveKib = amount('reserve');
  if (reserveKib === null) throw new UsageError('--reserve cannot be none.');
  const budgetKib = amount('budget');
  const capKib = amount('cap');
  const word = option(session, 'mode');
  const mode = word === undefined ? undefined : MODES[word];
  if (word !== undefined && mode === undefined)
    throw new UsageError(`Say one of ${Object.keys(MODES).join(', ')} after --mode.`);
  const host = await session.client.call('memory.set-policy', {
    ...(mode === undefined ? {} : { mode }),
    ...(reserveKib === undefined ? {} : { reserveKib }),
    ...(budgetKib === undefined ? {} : { budgetKib }),
    ...(capKib === undefined ? {} : { capKib }),
  });
  return {
    text: `VMs may use ${kibText(host.budgetKib)}, each ${host.capKib === null ? 'as much as it is given' : `at most ${kibText(host.capKib)}`}; ${kibText(host.reserveKib)} are kept for this computer. ${host.mode === 'demand' ? 'Memory goes where it is needed.' : 'Everyone gets the same share of its range.'}`,
    json: host,
  };
}

async function replayed(session: Session, limit: number): Promise<Output> {
  const replay = await session.client.call('memory.replay', { limit });
  const { checked, differing } = replay;
  const text =
    differing.length === 0
      ? `${checked} plans made again: all the same.`
      : `${checked} plans made again: ${differing.length} differ (${differing.slice(0, 10).join(', ')}). Either another version of Ebb made them, or the ledger is damaged.`;
  return { text, json: replay };
}

async function why(session: Session): Promise<Output> {
  if (session.words.options.replay === true)
    return replayed(session, parseCount(option(session, 'limit') ?? '200', '--limit', 1, 200));
  const word = session.words.plain[2];
  const { vms } = await session.client.call('vm.list', {});
  const vmId = word === undefined ? null : pickVm(vms, word).spec.id;
  const { entries } = await session.client.call('memory.ledger', {
    vmId,
    limit: parseCount(option(session, 'limit') ?? '20', '--limit', 1, 1000),
  });
  return {
    text: entries.map(entry => `${timeText(entry.at)}  ${entry.text}`).join('\n') || 'Nothing has moved yet.',
    json: entries,
  };
}

/** Seconds: 90, 90s, 10m. */
function parseSpan(text: string, name: string, least: number, most: number): number {
  const [, digits = '', unit = ''] = /^(\d+)(s|m)?$/.exec(text.trim()) ?? [];
  const seconds = digits === '' ? Number.NaN : Number(digits) * (unit === 'm' ? 60 : 1);
  if (seconds >= least && seconds <= most) return seconds;
  throw new UsageError(
    `${name}: "${text}" is not a time from ${least} s to ${most} s; write it like 90s or 10m.`,
  );
}

async function tryMemory(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const { minKib, maxKib } = rangeOf(session, spec);
  const seconds = parseSpan(option(session, 'for') ?? '60s', '--for', 5, 600);
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
}

async function keepMemory(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const json = await session.client.call('memory.keep-range', { vmId: spec.id });
  return { text: `${spec.name}: ${kibText(spec.minKib)} – ${kibText(spec.maxKib)} stays.`, json };
}

async function undoMemory(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const memory = await session.client.call('memory.undo-range', { vmId: spec.id });
  return { text: `${spec.name}: ${kibText(memory.minKib)} – ${kibText(memory.maxKib)} again.`, json: memory };
}

async function freeMemory(session: Session): Promise<Output> {
  const size = session.words.plain[2];
  if (size === undefined)
    throw new UsageError('How much of this computer is to be free? Write it like 2G, or 0 to end it.');
  const kib = size === '0' ? 0 : parseMemory(size, 'SIZE');
  const seconds = parseSpan(option(session, 'for') ?? '10m', '--for', 10, 3600);
  const preview = await session.client.call('memory.free', { kib, seconds });
  const held =
    preview.changes.length === 0 ? '' : ` They leave it free for ${seconds} s; ebb mem free 0 ends that.`;
  return { text: `${preview.sentence}${held}`, json: preview };
}

export const MEMORY_COMMANDS: Readonly<Record<string, Command>> = {
  'mem show': { usage: '[VM]', help: 'Ranges, targets and what guests really have', run: showMemory },
  'mem set': {
    usage: 'VM [--min SIZE] [--max SIZE]',
    help: 'Set minimum and maximum; a running VM is replanned at once',
    run: setMemory,
  },
  'mem policy': {
    usage: '[--reserve SIZE] [--budget SIZE|none] [--cap SIZE|none] [--mode need|ratio]',
    help: 'What all VMs, and each one, may use, and whether by need or all at one ratio',
    run: setPolicy,
  },
  'mem why': {
    usage: '[VM] [--limit 20] | --replay',
    help: 'Why memory moved, newest first; --replay makes those plans again and compares',
    run: why,
  },
  'mem try': {
    usage: 'VM [--min SIZE] [--max SIZE] [--for 60s]',
    help: 'Set minimum and maximum for a while; then they are what they were, unless kept',
    run: tryMemory,
  },
  'mem keep': { usage: 'VM', help: 'Keep what is being tried', run: keepMemory },
  'mem undo': { usage: 'VM', help: 'Take back the last change of minimum and maximum', run: undoMemory },
  'mem free': {
    usage: 'SIZE [--for 10m]',
    help: 'VMs give back until so much of this computer is free; 0 ends that',
    run: freeMemory,
  },
};
