// Which files of another Ebb's VM folder are the VM, and how the VM is set up here. The folder is a stranger's:
// what is not named here is never taken over. Above all no arguments of QEMU, which belong to saved memory (L4): whoever
// wrote them could have it run anything. Pure.
import type { MemoryRange } from '../../../shared/memory.ts';
import { orThrow, type Result } from '../../../shared/result.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { PortForward } from '../../../shared/vm-setup.ts';
import type { Kept } from '../moments/extras.ts';
import type { Policy } from '../policy/policy.ts';
import { boundSpec } from '../policy/vm-rules.ts';
import { isInstaller, isoNameOf } from './installer.ts';
import { addRefused } from './machine-faults.ts';

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const PART = '[^/]+';
export const MOMENT_JSON = new RegExp(`^moments/${UUID}/moment\\.json$`);
const DISK_FILE = new RegExp(`^disks/(${UUID})/${PART}$`);
const TAKEN: readonly RegExp[] = [
  DISK_FILE,
  MOMENT_JSON,
  new RegExp(`^moments/${UUID}/(?:screen\\.png|uefi-vars\\.fd|tpm/${PART})$`),
  new RegExp(`^(?:seed|tpm)/${PART}$`),
  /^uefi-vars\.fd$/,
  /^timeline\.(?:db(?:-[a-z]+)?|json)$/,
];
export const isTaken = (path: string): boolean =>
  TAKEN.some(form => form.test(path)) || (isInstaller(path) && path.endsWith('.iso'));

/** What Ebb writes anew, or only to be read by people: it may be moved along, but is never copied. */
const HARMLESS: readonly string[] = [
  'vm.json',
  '.lock',
  '.lock.held',
  'run.json',
  'qemu.log',
  'tpm.log',
  'rescue.py',
];
/** Files that may not come along as they are; none: the folder can be moved as a whole. */
export const unmovable = (paths: readonly string[]): string[] =>
  paths.filter(path => !isTaken(path) && !HARMLESS.includes(path));

/** A moment as it can be without its saved memory. */
export const withoutMemory = (kept: Kept): Kept => ({
  ...kept,
  record: null,
  memoryBytes: null,
  consistency: kept.consistency === 'memory' ? 'crash' : kept.consistency,
});

/** Fault import.refused: the disks are not those that vm.json names, or something in it is half-done. */
export function requireWhole(spec: VmSpec, paths: readonly string[]): void {
  if (paths.some(path => path.startsWith('suspended/')))
    throw addRefused('it is suspended', 'Resume it and shut it down where it was made, then add it.');
  if (paths.some(path => path === 'going-back.json' || path === '.making'))
    throw addRefused('something in it is half-done', 'Start Ebb there, which ends that, then add it.');
  const there = new Set(paths.flatMap(path => DISK_FILE.exec(path)?.[1] ?? []));
  const named = spec.disks.map(({ id }) => id);
  if (there.size !== named.length || named.some(id => !there.has(id)))
    throw addRefused('its disks are not those that its vm.json names', 'Copy the whole folder once more.');
}

export interface Surroundings {
  readonly name: string;
  readonly policy: Policy;
  readonly paths: readonly string[];
  readonly checkRange: (range: MemoryRange) => Result<MemoryRange>;
  /** The most that this computer has for one VM. */
  readonly mostKib: number;
  readonly taken: readonly Pick<PortForward, 'protocol' | 'hostPort'>[];
}

/** The VM as it can be here (M10). Faults: memory.bad-range, memory.over-host, memory.over-cap. */
export function addedSpec(spec: VmSpec, here: Surroundings): VmSpec {
  const { name, policy, paths, checkRange, mostKib, taken } = here;
  const bound = boundSpec({ ...spec, maxKib: Math.min(spec.maxKib, mostKib) }, policy);
  const range = orThrow(checkRange({ minKib: Math.min(bound.minKib, bound.maxKib), maxKib: bound.maxKib }));
  const isoName = isoNameOf(spec);
  const isFree = ({ protocol, hostPort }: PortForward): boolean =>
    !taken.some(other => other.protocol === protocol && other.hostPort === hostPort);
  return {
    ...bound,
    ...range,
    name,
    boot: isoName === null || paths.includes(isoName) ? spec.boot : { kind: 'disk' },
    portForwards: bound.portForwards.filter(isFree),
    hasSeed: spec.hasSeed && paths.some(path => path.startsWith('seed/')),
    // Whoever sits here says what starts here by itself.
    autostart: null,
  };
}
