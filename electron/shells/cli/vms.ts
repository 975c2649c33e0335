// `ebb vm …`: commands on VMs that exist.
import { amountText, bytesText } from '../../../shared/units.ts';
import { type Coming, discOf, type GuestInfo, type VmState, type VmSummary } from '../../../shared/vm.ts';
import { kibText, table } from './output.ts';
import { pickDisk, pickMoment } from './pick.ts';
import { type OfVm, type Output, type Run, type Session, theTimeline, theVm } from './session.ts';
import type { VM_ROWS } from './table/vms.ts';

type Rows = typeof VM_ROWS;

/** A guest's own words, without control characters: none may reach a terminal. */
const told = (words: string): string => words.replace(/\p{C}/gu, '');

const guestText = ({ hostName, os, addresses }: GuestInfo): string =>
  told([hostName, os, addresses.join(', ')].filter(word => word !== null && word !== '').join('; '));

const COMING: Readonly<Record<Coming, string>> = {
  screen: 'waiting for its first screen',
  blank: 'its screen is blank; waiting for its guest to be up',
  guest: 'waiting for its guest to be up',
  silent: 'no guest agent and no balloon driver answered in five minutes; it may have neither',
};

const stateText = ({ phase, detail, coming }: VmState): string =>
  [phase, detail, coming === null ? '' : COMING[coming]].filter(words => words !== '').join(': ');

function vmText({ spec, state }: VmSummary, guest: GuestInfo | null): string {
  const rows: [string, string][] = [
    ['Name', spec.name],
    ['Id', spec.id],
    ['State', stateText(state)],
    ['Guest', [state.guestUp ? 'up' : '–', ...(guest === null ? [] : [guestText(guest)])].join(': ')],
    ['Accelerator', state.accelerator === 'tcg' ? 'none (slow mode)' : (state.accelerator ?? '–')],
    [
      'Processors',
      `${spec.cpus}${spec.cpuCapPercent === null ? '' : `, at most ${spec.cpuCapPercent} % of the host`}`,
    ],
    [
      'Memory',
      `${kibText(spec.minKib)} – ${kibText(spec.maxKib)}, ${spec.balanced ? `weight ${spec.weight}` : 'not balanced'}`,
    ],
    [
      'Machine',
      `${spec.firmware}${spec.hasTpm ? ', TPM' : ''}, ${spec.devices} devices, ${spec.machineType ?? 'newest at its first start'}`,
    ],
    [
      'Disks',
      spec.disks.map(disk => `${bytesText(disk.virtualBytes)} (${disk.id.slice(0, 8)})`).join(', ') || '–',
    ],
    ...(spec.boot.kind === 'sample' ? [] : [['CD drive', discOf(spec) ?? 'empty'] as [string, string]]),
    ['Network', spec.network],
    [
      'Ports',
      spec.portForwards.map(port => `${port.protocol} ${port.hostPort} → ${port.guestPort}`).join(', ') ||
        '–',
    ],
    [
      'Autostart',
      spec.autostart === null ? 'no' : `${spec.autostart.order}, after ${spec.autostart.delaySeconds} s`,
    ],
    ['Group', spec.group || '–'],
    ...(spec.notes === '' ? [] : [['Notes', spec.notes] as [string, string]]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n');
}

export const listVms: Run<Rows['vm list']> = async ({ client }) => {
  const { vms } = await client.call('vm.list', {});
  const rows = vms.map(({ spec, state }) => [
    spec.id.slice(0, 8),
    spec.name,
    state.phase,
    `${kibText(spec.minKib)} – ${kibText(spec.maxKib)}`,
  ]);
  const none = 'No VMs yet. Try: ebb vm create demo --sample';
  return { text: rows.length === 0 ? none : table(['ID', 'NAME', 'STATE', 'MEMORY'], rows), json: vms };
};

export const showVm: Run<Rows['vm show']> = async session => {
  const vm = await theVm(session);
  const { pid } = vm.state;
  const guest = pid === null ? null : await session.client.call('vm.guest', { vmId: vm.spec.id });
  return { text: vmText(vm, guest), json: { ...vm, guest } };
};

/** The output of a command that changed a VM: a sentence, and the VM as it is afterwards. */
async function after({ client }: Session, { spec }: VmSummary, past: string): Promise<Output> {
  return { text: `${past} ${spec.name}.`, json: await client.call('vm.get', { vmId: spec.id }) };
}

export const renameVm: Run<Rows['vm rename']> = async session => {
  const vm = await theVm(session);
  const name = session.given.NAME;
  await session.client.call('vm.rename', { vmId: vm.spec.id, name });
  const renamed = await session.client.call('vm.get', { vmId: vm.spec.id });
  return { text: `${vm.spec.name} is "${renamed.spec.name}" now.`, json: renamed };
};

async function preview(session: OfVm): Promise<Output> {
  const { spec } = await theVm(session);
  const found = await session.client.call('vm.preview-start', { vmId: spec.id });
  const moves = found.changes.map(
    ({ vmName, fromKib, toKib }) => `  ${vmName}: ${amountText(fromKib)} → ${amountText(toKib)}`,
  );
  return { text: [found.sentence, ...moves].join('\n'), json: found };
}

export const startVm: Run<Rows['vm start']> = async session => {
  if (session.given.preview) return preview(session);
  const vm = await theVm(session);
  const { taskId } = await session.client.call('vm.start', { vmId: vm.spec.id });
  await session.wait(taskId);
  return after(session, vm, 'Started');
};

export const stopVm: Run<Rows['vm stop']> = async session => {
  const vm = await theVm(session);
  const how = session.given.force ? 'force' : 'shutdown';
  const { taskId } = await session.client.call('vm.stop', { vmId: vm.spec.id, how });
  await session.wait(taskId);
  if (vm.spec.peek !== null)
    return { text: `Ended ${vm.spec.name}: nothing of it is kept.`, json: { vmId: vm.spec.id } };
  return after(session, vm, 'Stopped');
};

export const suspendVm: Run<Rows['vm suspend']> = async session => {
  const vm = await theVm(session);
  const { taskId } = await session.client.call('vm.suspend', { vmId: vm.spec.id });
  await session.wait(taskId);
  return after(session, vm, 'Suspended');
};

export const pauseVm: Run<Rows['vm pause']> = async session => {
  const vm = await theVm(session);
  await session.client.call('vm.pause', { vmId: vm.spec.id });
  return after(session, vm, 'Paused');
};

export const resumeVm: Run<Rows['vm resume']> = async session => {
  const vm = await theVm(session);
  await session.client.call('vm.resume', { vmId: vm.spec.id });
  return after(session, vm, 'Resumed');
};

export const resetVm: Run<Rows['vm reset']> = async session => {
  const vm = await theVm(session);
  await session.client.call('vm.reset', { vmId: vm.spec.id });
  return after(session, vm, 'Reset');
};

export const deleteVm: Run<Rows['vm delete']> = async session => {
  const { spec } = await theVm(session);
  const { taskId } = await session.client.call('vm.delete', { vmId: spec.id });
  await session.wait(taskId);
  return {
    text: `Deleted ${spec.name}: it is in the trash folder. To have it back: ebb vm restore ${spec.id.slice(0, 8)}`,
    json: { vmId: spec.id },
  };
};

export const cloneVm: Run<Rows['vm clone']> = async session => {
  const { spec, timeline } = await theTimeline(session);
  const { id, name } = pickMoment(timeline.moments, session.given.POINT);
  const { vmId, taskId } = await session.client.call('vm.clone', {
    vmId: spec.id,
    momentId: id,
    name: session.given.NAME,
    linked: session.given.linked,
  });
  await session.wait(taskId, { vmId });
  const vm = await session.client.call('vm.get', { vmId });
  return { text: `Created ${vm.spec.name} from "${name}" of ${spec.name}.`, json: vm };
};

export const addVm: Run<Rows['vm add']> = async ({ client, given, absolute, wait }) => {
  const path = absolute(given.FOLDER);
  const { vmId, taskId, isCopied } = await client.call('vm.add', { path, move: given.move });
  await wait(taskId, { vmId });
  const vm = await client.call('vm.get', { vmId });
  const how = isCopied ? 'copied; the folder it is from stays as it was' : 'moved';
  return { text: `Added ${vm.spec.name}: ${how}.`, json: vm };
};

export const insertDisc: Run<Rows['vm insert']> = async session => {
  const vm = await theVm(session);
  const { client, given, absolute } = session;
  const { file, name } = await client.call('file.register', { path: absolute(given.FILE) });
  await session.wait((await client.call('vm.insert', { vmId: vm.spec.id, file })).taskId);
  return after(session, vm, `${told(name)} is in the CD drive of`);
};

export const ejectDisc: Run<Rows['vm eject']> = async session => {
  const { spec } = await theVm(session);
  const { removedBytes } = await session.client.call('vm.eject', { vmId: spec.id });
  const disc = discOf(spec);
  const text =
    disc === null
      ? `Nothing is in the CD drive of ${spec.name}.`
      : `Took ${disc} out of ${spec.name} and removed the copy (${bytesText(removedBytes)}).`;
  return { text, json: { vmId: spec.id, disc, removedBytes } };
};

export const growDisk: Run<Rows['disk grow']> = async session => {
  const { spec } = await theVm(session);
  const grown = await session.client.call('disk.grow', {
    vmId: spec.id,
    diskId: pickDisk(spec, session.given.disk).id,
    virtualBytes: session.given.SIZE,
  });
  const guest =
    grown.laterBecause === null
      ? 'The guest has to extend its own file system.'
      : `The guest that runs hears of it at its next start: ${grown.laterBecause}`;
  return {
    text: `The disk of ${spec.name} holds ${bytesText(grown.virtualBytes)} now; its points stay as large as they were. ${guest}`,
    json: grown,
  };
};
