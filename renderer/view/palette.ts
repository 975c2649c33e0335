// Filters the palette's entries. Pure.
import { mayCall, type Role } from '../../shared/roles.ts';
import type { Contract } from '../../shared/rpc/contract.ts';
import type { MethodName } from '../../shared/rpc/table.ts';

/** The entries that the role may use: what the service would refuse is not offered. */
export const offered = <E extends { readonly needs?: MethodName<Contract> }>(
  entries: readonly E[],
  role: Role,
): E[] => entries.filter(({ needs }) => needs === undefined || mayCall(role, needs));

/** Entries whose label has every typed word; those that begin with the typed text first, else in order. */
export function findEntries<E extends { readonly label: string }>(entries: readonly E[], typed: string): E[] {
  const wanted = typed.trim().toLowerCase();
  const words = wanted.split(/\s+/).filter(Boolean);
  const found = entries
    .map(entry => ({ entry, label: entry.label.toLowerCase() }))
    .filter(({ label }) => words.every(word => label.includes(word)));
  const begins = found.filter(({ label }) => label.startsWith(wanted));
  const others = found.filter(({ label }) => !label.startsWith(wanted));
  return [...begins, ...others].map(({ entry }) => entry);
}
