// What every command works with: the connection, the words typed, and how to find what they name.
import type { Client } from '../../../shared/rpc/client.ts';
import type { Contract } from '../../../shared/rpc/contract.ts';
import type { Task } from '../../../shared/task.ts';
import type { VmSummary } from '../../../shared/vm.ts';
import { pickVm, UsageError, type Words } from './arguments.ts';

export interface Session {
  readonly client: Client<Contract>;
  readonly words: Words;
  /** Waits for a task, showing its steps; throws its fault. */
  readonly wait: (taskId: string) => Promise<Task>;
  readonly absolute: (path: string) => string;
}

/** `text` for people, `json` for scripts. */
export interface Output {
  /** Null: everything has been written already. */
  readonly text: string | null;
  readonly json: unknown;
  /** Where what was asked for was done, and the answer is bad news; 0 else. */
  readonly exit?: number;
}

export interface Command {
  readonly usage: string;
  readonly help: string;
  readonly run: (session: Session) => Promise<Output>;
}

export const option = ({ words }: Session, name: string): string | undefined => {
  const value = words.options[name];
  if (value === true) throw new UsageError(`--${name} needs a value.`);
  return value;
};
export const argument = ({ words }: Session, index: number, what: string): string => {
  const word = words.plain[index];
  if (word === undefined || word.trim() === '') throw new UsageError(`${what} is missing.`);
  return word;
};
export const theVm = async (session: Session): Promise<VmSummary> =>
  pickVm((await session.client.call('vm.list', {})).vms, argument(session, 2, 'VM'));
