// The form of a contract: the data that types, validation, dispatch and the golden copy are derived from.
import type * as z from 'zod';
import type { ErrorCode } from '../errors.ts';

export interface MethodRow {
  /** query: reads. command: changes, answers when done. task: answers with a task id, goes on. */
  readonly kind: 'query' | 'command' | 'task';
  readonly params: z.ZodType;
  readonly result: z.ZodType;
  /** Codes this method refuses with, besides those every method has (EVERY_METHOD, rpc.*). */
  readonly errors: readonly ErrorCode[];
  /** One sentence for the CLI's help and the golden copy. */
  readonly doc: string;
}

/** Any method may refuse with these: a bug, a cancelled call, IT policy, an audit that cannot be written. */
const EVERY_METHOD: readonly ErrorCode[] = ['internal', 'cancelled', 'policy.denied', 'audit.unwritable'];

/** Whether a caller of the method has to expect that code. */
export const mayRefuseWith = ({ errors }: MethodRow, code: ErrorCode): boolean =>
  errors.includes(code) || EVERY_METHOD.includes(code) || code.startsWith('rpc.');

export interface TopicRow {
  /** state: newest value with a revision, values between may be dropped. event: ordered and bounded. */
  readonly kind: 'state' | 'event';
  /** True where the topic is one per VM (the key is the VM's id). */
  readonly keyed: boolean;
  readonly payload: z.ZodType;
  readonly doc: string;
}

export interface ContractTable {
  readonly methods: Readonly<Record<string, MethodRow>>;
  readonly topics: Readonly<Record<string, TopicRow>>;
}

export type MethodName<C extends ContractTable> = keyof C['methods'] & string;
export type TopicName<C extends ContractTable> = keyof C['topics'] & string;
export type Params<C extends ContractTable, M extends MethodName<C>> = z.infer<C['methods'][M]['params']>;
export type MethodResult<C extends ContractTable, M extends MethodName<C>> = z.infer<
  C['methods'][M]['result']
>;
export type Payload<C extends ContractTable, T extends TopicName<C>> = z.infer<C['topics'][T]['payload']>;

export const defineContract = <const C extends ContractTable>(table: C): C => table;
