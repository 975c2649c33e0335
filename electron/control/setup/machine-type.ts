// Which version of the machine this QEMU would give a new VM. Pinned at its first start: a later QEMU then shows its guest
// the same hardware. Pure.
import { machineTypeSchema } from '../../../shared/vm-setup.ts';

/** Of `qemu-system-x86_64 -machine help`; null where it names none. */
export function newestMachine(help: string): string | null {
  const line = help.split('\n').find(text => text.startsWith('q35 '));
  const name = /\(alias of ([^)]+)\)/.exec(line ?? '')?.[1];
  return machineTypeSchema.safeParse(name).data ?? null;
}
