// `ebb vm set`, and how options become the change that control is asked for.
import type { VmSummary } from '../../../shared/vm.ts';
import { type PortForward, portForwardSchema, type SetupChange } from '../../../shared/vm-setup.ts';
import { type Run, theVm } from './session.ts';
import type { SETUP_ROWS } from './table/setup.ts';
import { UsageError } from './values.ts';
import type { Given } from './words.ts';

type Row = (typeof SETUP_ROWS)['vm set'];

export function forwardOf(text: string): PortForward {
  const [protocol, hostPort, guestPort, ...rest] = text.split(':');
  const parsed = portForwardSchema.safeParse({
    protocol,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  });
  if (parsed.success && rest.length === 0) return parsed.data;
  throw new UsageError(`--forward: "${text}" is not PROTOCOL:HOST:GUEST; write it like tcp:2222:22.`);
}

/** True or false for either option; undefined: neither was given, so the setting stays. */
export const eitherOf = (yes: boolean, no: boolean): boolean | undefined =>
  yes ? true : no ? false : undefined;

function autostartOf(given: Given<Row>, { spec }: VmSummary): SetupChange['autostart'] {
  if (given['no-autostart']) return null;
  const { autostart: order, 'autostart-delay': delaySeconds } = given;
  if (order === undefined && delaySeconds === undefined) return undefined;
  if (order === undefined && spec.autostart === null)
    throw new UsageError('--autostart-delay needs --autostart ORDER: it does not start by itself yet.');
  const was = spec.autostart ?? { order: 1, delaySeconds: 0 };
  return { order: order ?? was.order, delaySeconds: delaySeconds ?? was.delaySeconds };
}

function changeOf(given: Given<Row>, vm: VmSummary): SetupChange {
  const { cpus, group, notes, network, firmware, devices, forward } = given;
  const said = {
    cpus,
    cpuCapPercent: given['no-cpu-cap'] ? null : given['cpu-cap'],
    group,
    notes,
    network,
    firmware,
    devices,
    hasTpm: eitherOf(given.tpm, given['no-tpm']),
    portForwards: forward.length > 0 || given['no-forwards'] ? forward.map(forwardOf) : undefined,
    autostart: autostartOf(given, vm),
    machineType: given['newest-machine'] ? null : undefined,
  };
  const change = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
  if (Object.keys(change).length === 0) throw new UsageError('Say what is to change.');
  return change;
}

export const setVm: Run<Row> = async session => {
  const vm = await theVm(session);
  const { id: vmId, name } = vm.spec;
  const answer = await session.client.call('vm.configure', { vmId, change: changeOf(session.given, vm) });
  const when =
    answer.applies === 'now' ? `Changed ${name}.` : `Changed ${name}; it applies from its next start on.`;
  const taken = answer.conflicts.map(({ what }) => `Note: ${what}`);
  return { text: [when, ...taken].join('\n'), json: answer };
};
