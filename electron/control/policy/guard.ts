// Decides which call needs which key of the policy: every call of every client passes here (DESIGN §8). Stop,
// suspend, pause, cancel, take a moment, rescue and export as a VHD need no key: nothing IT writes, or gets
// wrong, stands between people and their data. The policy is asked again when an ordered task begins
// (order-rules.ts), and whenever a VM is made or changed (vm-rules.ts). Where the answer is known beforehand
// it is asked here, too, in the same words, so that the audit has one record of a denial.
import type { VmId } from '../../../shared/ids.ts';
import type { MemoryRange } from '../../../shared/memory.ts';
import type { KeyOf } from '../../../shared/policy/keys.ts';
import { Fault } from '../../../shared/result.ts';
import { mayCall, mayFollow, neededFor, type Role } from '../../../shared/roles.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { CallContext, Handlers } from '../../../shared/rpc/server.ts';
import type { MethodName, Params } from '../../../shared/rpc/table.ts';
import type { Topics } from '../../../shared/rpc/topics.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import { requireMemoryChange } from './memory-rules.ts';
import { requireSource } from './order-rules.ts';
import type { Policy } from './policy.ts';
import { requireBalance, wantedRange } from './vm-rules.ts';

/** Null: there is no such VM. */
export type SpecOf = (vmId: VmId) => VmSpec | null;
type Check<M extends MethodName<Contract>> = (
  policy: Policy,
  params: Params<Contract, M>,
  context: CallContext,
  specOf: SpecOf,
) => void;
type Checks = { readonly [M in MethodName<Contract>]?: Check<M> };

const needs =
  (key: KeyOf<'flag'>) =>
  (policy: Policy): void =>
    policy.require(key);

const screensInBrowsers = (policy: Policy, _: unknown, { caller }: CallContext): void => {
  if (caller.kind === 'browser') policy.require('headless.console');
};

const range = (
  policy: Policy,
  { vmId, ...wanted }: MemoryRange & { readonly vmId: VmId },
  _: unknown,
  specOf: SpecOf,
): void => {
  policy.require('memory.change');
  const spec = specOf(vmId);
  if (spec !== null) wantedRange(wanted, spec, policy);
};

export const CHECKS: Checks = {
  'vm.create': (policy, { source }) => requireSource(policy, source),
  'vm.clone': needs('vm.clone'),
  'vm.add': policy => requireSource(policy, { kind: 'folder' }),
  'vm.insert': policy => policy.requireWord('vm.sources', 'iso'),
  'vm.delete': needs('vm.delete'),
  'vm.configure': (policy, { change }) => {
    const { cpus, network, portForwards = [] } = change;
    if (cpus !== undefined) policy.requireWithin('vm.cpus', cpus);
    if (network !== undefined) policy.requireWord('network.modes', network);
    if (portForwards.length > 0) policy.require('network.forwards');
  },
  'memory.set-range': range,
  'memory.try-range': range,
  'memory.keep-range': needs('memory.change'),
  'memory.undo-range': needs('memory.change'),
  'memory.set-balance': (policy, { vmId, ...wanted }, _, specOf) => {
    policy.require('memory.change');
    const spec = specOf(vmId);
    if (spec !== null) requireBalance(wanted, spec, policy);
  },
  'memory.set-policy': (policy, change) => requireMemoryChange(policy, change),
  // 0 ends what was asked for, which is always allowed.
  'memory.free': (policy, { kib }) => {
    if (kib > 0) policy.require('memory.free');
  },
  'disk.grow': (policy, { virtualBytes }) => {
    policy.require('disk.grow');
    policy.requireWithin('disk.size', virtualBytes);
  },
  'moment.go-back': needs('history.goBack'),
  // Whoever may not go back to a point may not enter it by a peek either.
  'moment.peek': needs('history.goBack'),
  'moment.delete': needs('history.delete'),
  'trash.purge': needs('history.purge'),
  'history.clean': needs('history.delete'),
  'moment.export': (policy, { format }) => policy.requireWord('export.formats', format),
  'moment.export-delta': policy => policy.requireWord('export.formats', 'vhd'),
  'moment.download': needs('export.downloads'),
  'moment.import-delta': needs('import.updates'),
  'moment.serve': needs('export.serve'),
  // Consoles that are open when the policy forbids them are ended (compose/policy.ts).
  'console.open': screensInBrowsers,
  'console.send': screensInBrowsers,
  'vm.screen': screensInBrowsers,
  'vm.thumbnail': screensInBrowsers,
  'moment.screen': screensInBrowsers,
};

/** Asked of all callers but local ones, who need no role. Fault rpc.denied. */
function requireRole({ kind, role }: CallContext['caller'], method: MethodName<Contract>): void {
  if (kind === 'local' || mayCall(role, method)) return;
  const needed = neededFor(method);
  throw new Fault({
    code: 'rpc.denied',
    what:
      needed === 'nobody'
        ? `${method} is only for who is at this computer.`
        : `${method} needs the right to ${needed}; this sign-in may ${role}.`,
    safe: 'Nothing was changed.',
    todo: needed === 'nobody' ? 'Do it at the computer itself.' : 'Ask for a sign-in that may.',
  });
}

/** The topics that the role may follow; of others it is said that there is no such topic. */
export const followable = (
  topics: Topics<Contract>,
  role: Role,
): Pick<Topics<Contract>, 'kind' | 'subscribe'> => ({
  kind: topic => (mayFollow(role, topic) ? topics.kind(topic) : null),
  subscribe: (topic, key, listener) => topics.subscribe(topic, key, listener),
});

type AnyHandler = (params: unknown, context: CallContext) => unknown;

/** The handlers, with `before` asked before each call. */
export const wrapped = (handlers: Handlers<Contract>, before: Ask): Handlers<Contract> => {
  const entries = Object.entries(handlers as Readonly<Record<string, AnyHandler>>);
  const made = entries.map(([method, handler]) => [
    method,
    (params: unknown, context: CallContext) => {
      before(method, params, context);
      return handler(params, context);
    },
  ]);
  return Object.fromEntries(made) as Handlers<Contract>;
};

export type Ask = (method: string, params: unknown, context: CallContext) => void;

/** `tell` hears of each refusal. Faults: rpc.denied, policy.denied. */
export const askOf =
  (
    policy: () => Policy,
    specOf: SpecOf,
    tell: (method: string, error: unknown) => void = () => undefined,
  ): Ask =>
  (method, params, context) => {
    const name = method as MethodName<Contract>;
    const check = CHECKS[name] as Check<never> | undefined;
    try {
      requireRole(context.caller, name);
      check?.(policy(), params as never, context, specOf);
    } catch (error) {
      tell(method, error);
      throw error;
    }
  };

export const guarded = (
  handlers: Handlers<Contract>,
  policy: () => Policy,
  specOf: SpecOf,
): Handlers<Contract> => wrapped(handlers, askOf(policy, specOf));
