// Which methods are audited, and what their records say: one row for each method of the contract, so that
// none can be forgotten.
import type { SessionId, TokenId } from '../../../shared/access.ts';
import type { AuditValues } from '../../../shared/audit.ts';
import type { MomentId, TaskId, VmId } from '../../../shared/ids.ts';
import type { HostMemory } from '../../../shared/memory.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { MethodName, MethodResult, Params } from '../../../shared/rpc/table.ts';
import type { Task } from '../../../shared/task.ts';
import { discOf, type VmSpec } from '../../../shared/vm.ts';
import type { IfFull } from './audit.ts';

/** Where the records look up how things are. */
export interface AuditLook {
  readonly spec: (vmId: VmId) => VmSpec | null;
  readonly host: () => Pick<HostMemory, 'mode' | 'reserveKib' | 'budgetKib' | 'capKib'>;
  /** Empty: the name is not known. */
  readonly momentName: (vmId: VmId, momentId: MomentId) => Promise<string>;
  readonly task: (taskId: TaskId) => Pick<Task, 'kind' | 'vmId' | 'fileName'> | null;
  readonly access: {
    readonly whatIs: (tokenId: TokenId) => AuditValues;
    readonly whoIs: (sessionId: SessionId) => AuditValues;
  };
}

/**
 * A call gets two records, one before it and one with its end, so that nothing is done without a record. A
 * limit may say no only while the call is under way (after planning, or once a folder's real path is known):
 * then its beginning is recorded already.
 */
export interface AuditRule<P, R = unknown> {
  readonly ifFull: IfFull;
  /** The values that the call is about to change; asked again when it is done. */
  readonly state?: (params: P, look: AuditLook) => AuditValues;
  /** The values that are asked for. */
  readonly wanted: (params: P, look: AuditLook) => AuditValues | Promise<AuditValues>;
  /** Values that only the result knows, such as a new id. */
  readonly made?: (result: R) => AuditValues;
}

/** Why a method is not audited. */
type Not = 'reads' | 'looks and types' | 'is no change of what VMs may or have' | 'tells the audit itself';
export type AuditTable = {
  readonly [M in MethodName<Contract>]: AuditRule<Params<Contract, M>, MethodResult<Contract, M>> | Not;
};

type OfVm = { readonly vmId: VmId };
type OfMoment = OfVm & { readonly momentId: MomentId };

const rangeOf = ({ vmId }: OfVm, look: AuditLook): AuditValues => {
  const spec = look.spec(vmId);
  return spec === null ? {} : { minKib: spec.minKib, maxKib: spec.maxKib };
};
const balanceOf = ({ vmId }: OfVm, look: AuditLook): AuditValues => {
  const spec = look.spec(vmId);
  return spec === null ? {} : { balanced: spec.balanced, weight: spec.weight };
};
const policyOf = (_: unknown, look: AuditLook): AuditValues => {
  const { mode, reserveKib, budgetKib, capKib } = look.host();
  return { mode, reserveKib, budgetKib, capKib };
};
const momentOf = async ({ vmId, momentId }: OfMoment, look: AuditLook): Promise<AuditValues> => ({
  momentId,
  point: (await look.momentName(vmId, momentId)).slice(0, 200),
});
const driveOf = ({ vmId }: OfVm, look: AuditLook): AuditValues => {
  const spec = look.spec(vmId);
  return spec === null ? {} : { disc: discOf(spec) };
};
const nothing = (): AuditValues => ({});
const plainly = { ifFull: 'go-on', wanted: nothing } as const;
const given = (values: Readonly<Record<string, string | number | boolean | null | undefined>>): AuditValues =>
  Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, typeof value === 'string' ? value.slice(0, 400) : value]],
    ),
  );

const range = {
  ifFull: 'refuse',
  state: rangeOf,
  wanted: ({ minKib, maxKib }: { readonly minKib: number; readonly maxKib: number }) => ({ minKib, maxKib }),
} as const;
const taken = {
  ifFull: 'go-on',
  wanted: ({ name }: { readonly name: string }) => ({ point: name }),
} as const;
const rangeAsItWas = { ifFull: 'refuse', state: rangeOf, wanted: nothing } as const;

const ofTask = {
  ifFull: 'go-on',
  wanted: ({ taskId }: { readonly taskId: TaskId }, look: AuditLook) =>
    given({ task: look.task(taskId)?.kind, taskId }),
} as const;

const VM_ROWS = {
  'vm.list': 'reads',
  'vm.get': 'reads',
  'vm.create': {
    ifFull: 'refuse',
    wanted: ({ name, os, minKib, maxKib, source }) => ({ name, os, minKib, maxKib, source: source.kind }),
  },
  'vm.clone': {
    ifFull: 'refuse',
    wanted: async (params, look) => ({
      ...(await momentOf(params, look)),
      name: params.name,
      linked: params.linked,
    }),
  },
  'vm.add': { ifFull: 'refuse', wanted: ({ path, move }) => given({ path, move }) },
  'vm.rename': {
    ifFull: 'go-on',
    state: ({ vmId }, look) => given({ name: look.spec(vmId)?.name }),
    wanted: ({ name }) => ({ name }),
  },
  'vm.configure': {
    ifFull: 'refuse',
    // Notes are a person's own words: that they changed is enough.
    wanted: ({ change }) => ({ change: Object.keys(change).sort().join(', ').slice(0, 400) }),
  },
  'vm.insert': { ifFull: 'refuse', state: driveOf, wanted: nothing },
  'vm.eject': { ifFull: 'go-on', state: driveOf, wanted: nothing },
  'vm.delete': plainly,
  'vm.trashed': 'reads',
  'vm.restore': { ...plainly, made: ({ name }) => ({ name }) },
  'vm.preview-start': 'reads',
  'vm.screen': 'reads',
  'vm.thumbnail': 'reads',
  'vm.guest': 'reads',
  'vm.start': plainly,
  'vm.stop': { ifFull: 'go-on', wanted: ({ how }) => ({ how }) },
  'vm.pause': plainly,
  'vm.resume': plainly,
  'vm.reset': plainly,
  'vm.suspend': plainly,
  'vm.rescue': { ifFull: 'go-on', wanted: ({ replace }) => ({ replace }) },
  'vm.verify': 'reads',
  'vm.verify-report': 'reads',
  'vm.compact': plainly,
  'disk.grow': {
    ifFull: 'refuse',
    state: ({ vmId, diskId }, look) => {
      const disks = look.spec(vmId)?.disks ?? [];
      return given({ virtualBytes: (disks.find(({ id }) => id === diskId) ?? disks[0])?.virtualBytes });
    },
    wanted: ({ diskId, virtualBytes }) => ({ diskId, virtualBytes }),
  },
} as const satisfies Partial<AuditTable>;

const MEMORY_ROWS = {
  'memory.host': 'reads',
  'memory.show': 'reads',
  'memory.set-range': range,
  'memory.try-range': {
    ...range,
    wanted: ({ minKib, maxKib, seconds }) => ({ minKib, maxKib, seconds }),
  },
  'memory.keep-range': rangeAsItWas,
  'memory.undo-range': rangeAsItWas,
  'memory.range-undo': 'reads',
  'memory.set-balance': {
    ifFull: 'refuse',
    state: balanceOf,
    wanted: ({ balanced, weight }) => ({ balanced, weight }),
  },
  'memory.set-policy': { ifFull: 'refuse', state: policyOf, wanted: change => given(change) },
  'memory.focus': 'is no change of what VMs may or have',
  'memory.free': { ifFull: 'go-on', wanted: ({ kib, seconds }) => ({ kib, seconds }) },
  'memory.ledger': 'reads',
  'memory.replay': 'reads',
  'memory.history': 'reads',
} as const satisfies Partial<AuditTable>;

const POINT_ROWS = {
  'timeline.get': 'reads',
  'moment.take': taken,
  'moment.take-with-memory': taken,
  'moment.screen': 'reads',
  'moment.update': {
    ifFull: 'go-on',
    wanted: async ({ name, note, pinned, ...params }, look) => ({
      ...(await momentOf(params, look)),
      ...given({ name, pinned, hasNote: note === undefined ? undefined : note !== '' }),
    }),
  },
  'moment.go-back': {
    ifFull: 'refuse',
    wanted: async ({ ifRunning, memory, configuration, ...params }, look) => ({
      ...(await momentOf(params, look)),
      ifRunning,
      memory,
      configuration,
    }),
  },
  'moment.peek': { ifFull: 'refuse', wanted: momentOf },
  'moment.delete': { ifFull: 'go-on', wanted: momentOf },
  'moment.restore': { ifFull: 'go-on', wanted: ({ momentId }) => ({ momentId }) },
  'trash.purge': { ifFull: 'go-on', wanted: ({ momentId = null }) => ({ momentId }) },
  'moment.cost': 'reads',
  'moment.compare': 'reads',
  'moment.export': {
    ifFull: 'refuse',
    wanted: async (params, look) => ({
      ...(await momentOf(params, look)),
      ...given({ diskId: params.diskId, format: params.format, path: params.path }),
    }),
  },
  'moment.files': 'reads',
  'moment.copy-files': {
    ifFull: 'refuse',
    // Their names are the guest's words: only their number is recorded.
    wanted: async (params, look) => ({
      ...(await momentOf(params, look)),
      ...given({ diskId: params.diskId, files: params.paths.length, folder: params.folder }),
    }),
  },
  'moment.serve': {
    ifFull: 'refuse',
    wanted: async (params, look) => ({
      ...(await momentOf(params, look)),
      ...given({ diskId: params.diskId, socketPath: params.socketPath }),
    }),
  },
  'moment.export-delta': {
    ifFull: 'refuse',
    wanted: async ({ vmId, fromId, toId, path }, look) => ({
      ...(await momentOf({ vmId, momentId: toId }, look)),
      ...given({ fromId, path }),
    }),
  },
  'moment.download': {
    ifFull: 'refuse',
    wanted: ({ taskId }, look) => given({ file: look.task(taskId)?.fileName ?? undefined }),
  },
  'moment.import-delta': { ifFull: 'refuse', wanted: ({ name, ontoId }) => given({ point: name, ontoId }) },
  'settle.set': 'is no change of what VMs may or have',
  'history.show': 'reads',
  'history.preview': 'reads',
  'history.offer': 'reads',
  'history.set': {
    ifFull: 'refuse',
    wanted: ({ schedule: { keep, ...schedule } }) => given({ ...schedule, ...keep }),
  },
  'history.clean': { ifFull: 'go-on', wanted: ({ momentIds }) => ({ points: momentIds.length }) },
} as const satisfies Partial<AuditTable>;

const APP_ROWS = {
  'app.info': 'reads',
  'app.quit': plainly,
  'app.power': 'is no change of what VMs may or have',
  'app.updates': 'reads',
  'doctor.run': 'reads',
  'host.parts': 'reads',
  'network.conflicts': 'reads',
  'task.list': 'reads',
  'task.cancel': ofTask,
  'task.pause': ofTask,
  'task.resume': ofTask,
  'file.register': 'is no change of what VMs may or have',
  'console.open': 'looks and types',
  'console.send': 'looks and types',
  'console.close': 'looks and types',
  'policy.show': 'reads',
  'audit.list': 'reads',
  'audit.export': 'reads',
  'audit.verify': 'reads',
  'headless.sign-in': 'tells the audit itself',
  'file.download': 'tells the audit itself',
  'headless.session': 'tells the audit itself',
  'headless.listen': { ifFull: 'go-on', wanted: ({ address, isEncrypted }) => ({ address, isEncrypted }) },
  'headless.link': { ifFull: 'refuse', wanted: ({ role }) => ({ role }), made: ({ id }) => ({ link: id }) },
  'headless.create-token': {
    ifFull: 'refuse',
    wanted: ({ name, role, expiresAt }) => ({ name, role, expiresAt }),
  },
  'headless.tokens': 'reads',
  'headless.revoke-token': {
    ifFull: 'go-on',
    wanted: ({ tokenId }, { access }) => ({ ...access.whatIs(tokenId) }),
  },
  'headless.sessions': 'reads',
  'headless.end-session': {
    ifFull: 'go-on',
    wanted: ({ sessionId }, { access }) => ({ ...access.whoIs(sessionId) }),
  },
  'headless.sign-out': { ifFull: 'go-on', wanted: () => ({}) },
} as const satisfies Partial<AuditTable>;

export const AUDITED: AuditTable = { ...VM_ROWS, ...MEMORY_ROWS, ...POINT_ROWS, ...APP_ROWS };
