// What every command works with: the connection, the values given, and functions to find what they name.
import type { Client } from '../../../shared/rpc/client.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Task } from '../../../shared/task.ts';
import type { Timeline } from '../../../shared/timeline.ts';
import type { VmSummary } from '../../../shared/vm.ts';
import { pickVm } from './pick.ts';
import type { Given, Row } from './words.ts';

export interface Session<G = object> {
  readonly client: Client<Contract>;
  readonly given: G;
  /** --json or --ndjson: the output is for scripts. */
  readonly isJson: boolean;
  /**
   * Waits for a task, showing its steps; throws its fault. With --no-wait the command ends here, and writes
   * `known` beside the task's id.
   */
  readonly wait: (taskId: string, known?: Readonly<Record<string, string>>) => Promise<Task>;
  readonly absolute: (path: string) => string;
}

/** `text` for people, `json` for scripts. */
export interface Output {
  /** Null: everything has been written already. */
  readonly text: string | null;
  readonly json: unknown;
  /** Set where the command did its work and the answer is bad news; otherwise 0. */
  readonly exit?: number;
}

export type Run<R extends Row> = (session: Session<Given<R>>) => Promise<Output>;

/** A session whose command names a VM. */
export type OfVm = Session<{ readonly VM: string }>;
export const vmNamed = async (session: Session, word: string): Promise<VmSummary> =>
  pickVm((await session.client.call('vm.list', {})).vms, word);
export const theVm = (session: OfVm): Promise<VmSummary> => vmNamed(session, session.given.VM);

/** The named VM and its timeline. */
export async function theTimeline(session: OfVm): Promise<VmSummary & { readonly timeline: Timeline }> {
  const vm = await theVm(session);
  return { ...vm, timeline: await session.client.call('timeline.get', { vmId: vm.spec.id }) };
}
