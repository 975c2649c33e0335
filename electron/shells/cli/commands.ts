import type { VmSummary } from '../../../shared/vm.ts';
import { UsageError } from './arguments.ts';
import { CREATE_COMMAND } from './create.ts';
import { MEMORY_COMMANDS } from './memory.ts';
import { gib, kibText, table } from './output.ts';
import { POINT_COMMANDS } from './points.ts';
import { type Command, type Output, type Session, theVm } from './session.ts';
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
  ...MEMORY_COMMANDS,
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
