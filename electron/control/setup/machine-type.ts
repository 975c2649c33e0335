// Finds the newest machine type of this QEMU. It is pinned at a VM's first start, so that a later QEMU shows
// the guest the same hardware. Pure.
import { machineTypeSchema } from '../../../shared/vm-setup.ts';

/** From what `qemu-system-x86_64 -machine help` prints; null: that names none. */
export function newestMachine(help: string): string | null {
  const line = help.split('\n').find(text => text.startsWith('q35 '));
  const name = /\(alias of ([^)]+)\)/.exec(line ?? '')?.[1];
  return machineTypeSchema.safeParse(name).data ?? null;
}
