// Composition, the part about the audit.
import type { AuditValues } from '../../../shared/audit.ts';
import type { MomentId, TaskId, VmId } from '../../../shared/ids.ts';
import type { MemoryRange } from '../../../shared/memory.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Handlers } from '../../../shared/rpc/server.ts';
import type { Topics } from '../../../shared/rpc/topics.ts';
import type { Task } from '../../../shared/task.ts';
import { openAppendFolder } from '../../platform/append-folder.ts';
import { systemClock } from '../../platform/clock.ts';
import { userName } from '../../platform/paths.ts';
import type { StorageClient } from '../../storage/client.ts';
import { Audit } from '../audit/audit.ts';
import { AuditLog } from '../audit/audit-log.ts';
import { audited, isDenial } from '../audit/audited.ts';
import { sha256 } from '../audit/handlers.ts';
import { openHeadStore } from '../audit/head-store.ts';
import type { AuditLook } from '../audit/table.ts';
import type { Machines } from '../machines/machines.ts';
import type { MemoryManager } from '../memory/manager.ts';
import type { Found } from '../moments/going-back.ts';
import type { Deleting, Gone } from '../points/old-trash.ts';
import type { PolicyDesk } from '../policy/desk.ts';
import { type Ask, wrapped } from '../policy/guard.ts';
import type { Catalog } from '../store/catalog.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { ControlInput } from './compose.ts';

/** The most of one file; the log begins another at 1 MiB of characters. */
const FILE_BYTES_MAX = 8 * 1024 * 1024;

export interface AuditParts {
  readonly audit: Audit;
  readonly auditLog: AuditLog;
}

export function auditParts(
  { paths, log }: ControlInput,
  catalog: Catalog,
  topics: Topics<Contract>,
): AuditParts {
  const heads = openHeadStore(catalog.db);
  const folder = openAppendFolder(`${paths.dataFolder}/audit`, FILE_BYTES_MAX);
  const auditLog = new AuditLog({ folder, heads, sha256 });
  const audit = new Audit({
    log: auditLog,
    heads,
    clock: systemClock,
    user: userName(),
    told: entry => topics.publish('audit', null, entry),
    warn: text => log(text, 'warn'),
  });
  return { audit, auditLog };
}

export const taskEnded =
  (audit: Audit) =>
  ({ id, state, error }: Task): void => {
    if (state === 'running') return;
    const code = error?.code ?? null;
    // Also a task may be denied: its work asks the policy again when it begins.
    audit.taskEnded(id, { outcome: code !== null && isDenial(code) ? 'denied' : state, code });
  };

/** Records what Ebb deletes by itself: before, what it is about to delete; afterwards, what is gone. */
export const ebbDeleting =
  (audit: Audit, catalog: Catalog, action: 'history.thinned' | 'trash.emptied'): Deleting =>
  (vmId, moments) => {
    const vmName = catalog.get(vmId)?.name ?? '';
    const draft = { via: 'service', action, vmId, vmName, from: {}, to: pointsOf(moments) } as const;
    const begun = audit.start(draft, 'go-on');
    return gone => audit.end(begun, { outcome: gone.length === 0 ? 'failed' : 'done', to: pointsOf(gone) });
  };

/** Names as many points as fit, and says how many there are. */
const pointsOf = (moments: readonly Gone[]): AuditValues => ({
  points: moments.length,
  point: listed(moments.map(({ name, takenAt }) => name || new Date(takenAt).toISOString().slice(0, 16))),
  momentId: listed(moments.map(({ id }) => id)),
});
const listed = (words: readonly string[]): string => {
  const text = words.join(', ');
  return text.length <= 400 ? text : `${text.slice(0, 399)}…`;
};

/** Records that the folder of a VM that was deleted long ago is gone. */
export const vmGone =
  (audit: Audit) =>
  (vmId: VmId): void =>
    audit.note({ via: 'service', action: 'trash.emptied', vmId, vmName: '', from: {}, to: { kind: 'vm' } });

/** Records that a tried range ended because nobody kept it: limits changed without a call. */
export const trialEnded =
  (audit: Audit, machines: Machines) =>
  (vmId: VmId, from: MemoryRange, to: MemoryRange): void => {
    const range = ({ minKib, maxKib }: MemoryRange) => ({ minKib, maxKib });
    const vmName = machines.spec(vmId).name;
    const draft = { via: 'service', action: 'memory.trial-ended', vmId, vmName } as const;
    audit.note({ ...draft, from: range(from), to: range(to) });
  };

/** Records how a going back ended that was left half-done: the record of the call itself says "unknown". */
export const goBackFinished =
  (audit: Audit, machines: Machines) =>
  ({ vmId, momentId, code }: Found): void => {
    const vmName = machines.spec(vmId).name;
    const draft = { via: 'service', action: 'moment.go-back-finished', vmId, vmName, from: {} } as const;
    const outcome = code === null ? 'done' : isDenial(code) ? 'denied' : 'refused';
    audit.note({ ...draft, to: { momentId } }, { outcome, code });
  };

/** Records each change of what IT's files say; before the first, they say nothing. */
export function policyAudited(audit: Audit, desk: PolicyDesk): () => void {
  let before = JSON.stringify([[], []]);
  return () => {
    const { files, rows } = desk.report();
    const managed = rows.filter(({ isManaged }) => isManaged);
    const now = JSON.stringify([files, managed]);
    if (now === before) return;
    before = now;
    const to = {
      files: files
        .map(({ path, state }) => `${path} (${state})`)
        .join(', ')
        .slice(0, 400),
      keys: managed.length,
      problems: files.reduce((sum, { problems }) => sum + problems.length, 0),
    };
    audit.note({ via: 'service', action: 'policy.loaded', vmId: null, vmName: '', from: {}, to });
  };
}

/** `ask` comes first, so that a refused call has no record of a beginning, and again just before the call. */
export function auditedHandlers(
  handlers: Handlers<Contract>,
  audit: Audit,
  parts: {
    readonly machines: Machines;
    readonly memory: MemoryManager;
    readonly storage: StorageClient;
    readonly access: AuditLook['access'];
    readonly tasks: Tasks;
  },
  ask: Ask,
): Handlers<Contract> {
  const { machines, memory, storage, access, tasks } = parts;
  const momentName = async (vmId: VmId, momentId: MomentId): Promise<string> => {
    try {
      machines.spec(vmId);
      await machines.open(vmId);
      const { moments, trash } = await storage.call('timeline.get', { vmId });
      return [...moments, ...trash].find(({ id }) => id === momentId)?.name ?? '';
    } catch {
      // The call itself will say why.
      return '';
    }
  };
  const spec = (vmId: VmId) => {
    try {
      return machines.spec(vmId);
    } catch {
      return null;
    }
  };
  const task = (taskId: TaskId) => tasks.list().find(({ id }) => id === taskId) ?? null;
  const look = { spec, host: () => memory.hostMemory(), momentName, access, task };
  return audited(wrapped(handlers, ask), audit, look, ask);
}
