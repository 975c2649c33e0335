// Wraps the contract's handlers, so that each audited call is recorded as the table says. Parts of Ebb that
// change things by themselves tell `Audit.note`.
import { type TaskId, taskIdSchema, type VmId, vmIdSchema } from '../../../shared/ids.ts';
import { Fault } from '../../../shared/result.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { CallContext, Handlers } from '../../../shared/rpc/server.ts';
import type { MethodName } from '../../../shared/rpc/table.ts';
import type { Ask } from '../policy/guard.ts';
import type { Audit, Begun, Draft, Ending } from './audit.ts';
import { AUDITED, type AuditLook, type AuditRule } from './table.ts';

type AnyHandler = (params: unknown, context: CallContext) => unknown;

/** A limit that somebody set said no. All other refusals are the person's own affair. */
export const isDenial = (code: string): boolean => code === 'rpc.denied' || code.startsWith('policy.');

/** `ask` throws where a limit that is known beforehand says no: then no beginning is recorded. */
export function audited(
  handlers: Handlers<Contract>,
  audit: Audit,
  look: AuditLook,
  ask: Ask,
): Handlers<Contract> {
  const wrapped = Object.entries(handlers).map(([method, handler]) => {
    const rule = AUDITED[method as MethodName<Contract>] as AuditRule<unknown> | string;
    const plain = handler as AnyHandler;
    return [
      method,
      typeof rule === 'string'
        ? watched(method, rule === 'tells the audit itself', plain, audit, look)
        : recorded(method, plain, rule, audit, look, ask),
    ];
  });
  return Object.fromEntries(wrapped) as Handlers<Contract>;
}

function draftOf(method: string, params: unknown, context: CallContext, look: AuditLook): Draft {
  const { taskId } = params as { readonly taskId?: unknown };
  const task = taskIdSchema.safeParse(taskId);
  const ofVm = task.success ? look.task(task.data)?.vmId : (params as { readonly vmId?: unknown }).vmId;
  const id = vmIdSchema.safeParse(ofVm);
  const vmId: VmId | null = id.success ? id.data : null;
  const vmName = vmId === null ? '' : (look.spec(vmId)?.name ?? '');
  const { kind, user } = context.caller;
  const who = { via: kind === 'browser' ? kind : 'local', ...(user === '' ? {} : { by: user }) } as const;
  return { ...who, action: method, vmId, vmName, from: {}, to: {} };
}

/** A handler that is not audited, but for its denials. */
const watched =
  (method: string, tellsItself: boolean, handler: AnyHandler, audit: Audit, look: AuditLook): AnyHandler =>
  async (params, context) => {
    try {
      return await handler(params, context);
    } catch (cause) {
      const isTold = tellsItself && context.caller.kind === 'local';
      const code = isTold ? null : denialIn(cause);
      if (code !== null) audit.denied(denialOf(draftOf(method, params, context, look), look), code);
      throw cause;
    }
  };

const denialIn = (cause: unknown): string | null =>
  cause instanceof Fault && isDenial(cause.body.code) ? cause.body.code : null;

/** A VM id that is none of ours says nothing, and could be another each time: the record leaves it out. */
const denialOf = (about: Draft, look: AuditLook): Draft =>
  about.vmId !== null && look.spec(about.vmId) !== null ? about : { ...about, vmId: null };

function recorded(
  method: string,
  handler: AnyHandler,
  rule: AuditRule<unknown>,
  audit: Audit,
  look: AuditLook,
  ask: Ask,
): AnyHandler {
  return async (params, context) => {
    const about = draftOf(method, params, context, look);
    try {
      ask(method, params, context);
    } catch (cause) {
      const code = denialIn(cause);
      if (code === null) throw cause;
      // A denial gets no record of its beginning: else whoever is refused could push out all other records. A
      // call beyond a role is refused whatever it says, so its values are left out.
      const said =
        code === 'rpc.denied'
          ? {}
          : { from: rule.state?.(params, look) ?? {}, to: await rule.wanted(params, look) };
      audit.denied(denialOf({ ...about, ...said }, look), code);
      throw cause;
    }
    const from = rule.state?.(params, look) ?? {};
    const begun = audit.start({ ...about, from, to: await rule.wanted(params, look) }, rule.ifFull);
    if (method === 'task.cancel') audit.cancels((params as { readonly taskId: TaskId }).taskId, about);
    try {
      const result = await handler(params, context);
      settle(audit, begun, result, { ...rule.state?.(params, look), ...rule.made?.(result) });
      return result;
    } catch (cause) {
      audit.end(begun, endingOf(cause));
      throw cause;
    }
  };
}

function settle(audit: Audit, begun: Begun, result: unknown, now: Draft['to']): void {
  const task = taskOf(result);
  if (task !== null) return audit.becameTask(begun, task);
  audit.end(begun, { outcome: 'done', to: { ...begun.draft.to, ...now } });
}

function taskOf(result: unknown): TaskId | null {
  const id = taskIdSchema.safeParse((result as { readonly taskId?: unknown }).taskId);
  return id.success ? id.data : null;
}

function endingOf(cause: unknown): Ending {
  if (!(cause instanceof Fault)) return { outcome: 'failed', code: 'internal' };
  const { code } = cause.body;
  if (isDenial(code)) return { outcome: 'denied', code };
  return { outcome: code === 'disk.io' || code === 'internal' ? 'failed' : 'refused', code };
}
