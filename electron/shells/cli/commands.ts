// Every command: its words, one line of help, and what it does through the contract. One table, so that help and
// behaviour cannot differ.
import type { HostMemory } from '../../../shared/memory.ts';
import type { VmSummary } from '../../../shared/vm.ts';
import { parseCount, parseMemory, pickVm, UsageError } from './arguments.ts';
import { CREATE_COMMAND } from './create.ts';
import { gib, kibText, table, timeText } from './output.ts';
import { POINT_COMMANDS } from './points.ts';
import { type Command, type Output, option, type Session, theVm } from './session.ts';
import { UPDATE_COMMANDS } from './updates.ts';

function showVm({ spec, state }: VmSummary): string {
  const rows: [string, string][] = [
    ['Name', spec.name],
    ['Id', spec.id],
    ['State', `${state.phase}${state.detail === '' ? '' : `: ${state.detail}`}`],
    ['Guest', state.guestUp ? 'up' : '–'],
    ['Accelerator', state.accelerator === 'tcg' ? 'none (slow mode)' : (state.accelerator ?? '–')],
    ['Processors', String(spec.cpus)],
    ['Memory', `${kibText(spec.minKib)} – ${kibText(spec.maxKib)}${spec.balanced ? '' : ', not balanced'}`],
    ['Disks', spec.disks.map(disk => gib(disk.virtualBytes)).join(', ') || '–'],
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n');
}

/** Starts a task on a VM, waits, shows the VM. */
const vmTask =
  (past: string, begin: (session: Session, vm: VmSummary) => Promise<{ taskId: string }>) =>
  async (session: Session): Promise<Output> => {
    const vm = await theVm(session);
    await session.wait((await begin(session, vm)).taskId);
    if (past === 'Deleted')
      return { text: `${past} ${vm.spec.name}: it is in the trash folder.`, json: { vmId: vm.spec.id } };
    const after = await session.client.call('vm.get', { vmId: vm.spec.id });
    return { text: `${past} ${vm.spec.name}.`, json: after };
  };

const HOST_WORDS: Readonly<Record<HostMemory['state'], string>> = {
  ok: '',
  low: ' This computer is low on memory.',
  critical: ' This computer runs out of memory: VMs are asked for all they can give back.',
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
  const cap = host.capKib === null ? '' : `; at most ${kibText(host.capKib)} per VM`;
  const line = `${kibText(host.freeKib)} free of ${kibText(host.budgetKib)} for VMs${cap}; reserve ${kibText(host.reserveKib)}; squeeze ${Math.round(host.compressionRatio * 100)} %.${HOST_WORDS[host.state]}`;
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

async function setMemory(session: Session): Promise<Output> {
  const { spec } = await theVm(session);
  const min = option(session, 'min');
  const max = option(session, 'max');
  if (min === undefined && max === undefined) throw new UsageError('--min or --max is missing.');
  const memory = await session.client.call('memory.set-range', {
    vmId: spec.id,
    minKib: min === undefined ? spec.minKib : parseMemory(min, '--min'),
    maxKib: max === undefined ? spec.maxKib : parseMemory(max, '--max'),
  });
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
      : `${checked} plans made again: ${differing.length} differ (${differing.slice(0, 10).join(', ')}). They were made by another version of Ebb.`;
  return { text, json: replay };
}

async function why(session: Session): Promise<Output> {
  if (session.words.options.replay === true)
    return replayed(session, parseCount(option(session, 'limit') ?? '1000', '--limit', 1, 1000));
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

async function doctor(session: Session): Promise<Output> {
  const report = await session.client.call('doctor.run', {});
  const signs = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const;
  const text = report.checks
    .map(
      row => `${signs[row.state]}  ${row.title}: ${row.found}${row.fix === '' ? '' : `\n      → ${row.fix}`}`,
    )
    .join('\n');
  return { text, json: report };
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  'vm create': CREATE_COMMAND,
  'vm list': {
    usage: '',
    help: 'All VMs',
    run: async ({ client }) => {
      const { vms } = await client.call('vm.list', {});
      const rows = vms.map(({ spec, state }) => [
        spec.id.slice(0, 8),
        spec.name,
        state.phase,
        `${kibText(spec.minKib)} – ${kibText(spec.maxKib)}`,
      ]);
      return {
        text:
          rows.length === 0
            ? 'No VMs yet. Try: ebb vm create demo --sample'
            : table(['ID', 'NAME', 'STATE', 'MEMORY'], rows),
        json: vms,
      };
    },
  },
  'vm show': {
    usage: 'VM',
    help: 'One VM',
    run: async session => {
      const vm = await theVm(session);
      return { text: showVm(vm), json: vm };
    },
  },
  'vm start': {
    usage: 'VM',
    help: 'Start it, or resume it from suspend',
    run: vmTask('Started', ({ client }, { spec }) => client.call('vm.start', { vmId: spec.id })),
  },
  'vm stop': {
    usage: 'VM [--force]',
    help: 'Shut the guest down; --force ends it like pulling the plug',
    run: vmTask('Stopped', ({ client, words }, { spec }) =>
      client.call('vm.stop', { vmId: spec.id, how: words.options.force === true ? 'force' : 'shutdown' }),
    ),
  },
  'vm suspend': {
    usage: 'VM',
    help: 'Write its memory to disk and free it',
    run: vmTask('Suspended', ({ client }, { spec }) => client.call('vm.suspend', { vmId: spec.id })),
  },
  'vm delete': {
    usage: 'VM --yes',
    help: 'Move it with all its history to the trash folder',
    run: session => {
      if (session.words.options.yes !== true)
        throw new UsageError('This deletes the VM and all its points; say --yes.');
      return vmTask('Deleted', ({ client }, { spec }) => client.call('vm.delete', { vmId: spec.id }))(
        session,
      );
    },
  },
  ...POINT_COMMANDS,
  ...UPDATE_COMMANDS,
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
  doctor: { usage: '', help: 'Check this computer', run: doctor },
  quit: {
    usage: '',
    help: 'End the Ebb service; refused while VMs run',
    run: async ({ client }) => {
      await client.call('app.quit', {});
      return { text: 'Ebb ended.', json: {} };
    },
  },
};
