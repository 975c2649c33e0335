// The contract's fingerprint, sent in every hello: two ends that disagree say so at once instead of oddly later.
import * as z from 'zod';
import type { ContractTable } from './table.ts';

/** The table as plain JSON: what the golden copy holds and the hash is made of. */
export function describeContract(table: ContractTable): unknown {
  const schema = (type: z.ZodType, io: 'input' | 'output'): unknown =>
    z.toJSONSchema(type, { io, unrepresentable: 'any' });
  const methods = Object.entries(table.methods).map(([name, row]) => ({
    name,
    kind: row.kind,
    doc: row.doc,
    params: schema(row.params, 'input'),
    result: schema(row.result, 'output'),
    errors: row.errors,
  }));
  const topics = Object.entries(table.topics).map(([name, row]) => ({
    name,
    kind: row.kind,
    keyed: row.keyed,
    doc: row.doc,
    payload: schema(row.payload, 'output'),
  }));
  return { methods, topics };
}

const hashes = new WeakMap<ContractTable, string>();

/** Spares a short-lived process the time to make the hash: the bundler made it and passes it here. */
export const rememberHash = (table: ContractTable, hash: string): void => void hashes.set(table, hash);

/** FNV-1a over names, kinds and schemas: enough to tell versions apart, no protection against forgery. */
export function contractHash(table: ContractTable): string {
  const known = hashes.get(table);
  if (known !== undefined) return known;
  let hash = 0xcbf29ce484222325n;
  for (const char of JSON.stringify(describeContract(table))) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(char.codePointAt(0) ?? 0)) * 0x100000001b3n);
  }
  const text = hash.toString(16).padStart(16, '0');
  hashes.set(table, text);
  return text;
}
