// Amounts in policy files, as people write them: "6GiB", "512MiB".
import { amountText, bytesText, bytesToKib, UNIT_BYTES } from '../units.ts';
import type { RuleKind } from './keys.ts';

/** KiB of memory, bytes of a size, or the count itself; null: `said` is no amount of that kind. */
export function readAmount(kind: RuleKind, said: unknown): number | null {
  if (kind === 'count') return typeof said === 'number' && Number.isSafeInteger(said) ? said : null;
  const match = typeof said === 'string' ? /^(\d{1,9}(?:\.\d{1,3})?) ?([KMGT])(?:iB)?$/.exec(said) : null;
  if (match === null) return null;
  const bytes = Math.floor(Number(match[1]) * (UNIT_BYTES[match[2] ?? ''] ?? 0));
  if (!Number.isSafeInteger(bytes)) return null;
  return kind === 'memory' ? bytesToKib(bytes) : bytes;
}

/** The amount as sentences say it. */
export function sayAmount(kind: RuleKind, amount: number): string {
  if (kind === 'memory') return amountText(amount);
  return kind === 'size' ? bytesText(amount) : String(amount);
}
