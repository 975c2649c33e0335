// What is in a VM's CD drive: a copy of an ISO in the VM's folder, and what the VM's spec says of it. Names
// and words are pure.
import { Fault } from '../../../shared/result.ts';
import { bytesText } from '../../../shared/units.ts';
import type { VmSpec } from '../../../shared/vm.ts';
import type { ChosenFile } from '../files.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import type { MachineFolders } from './machine-folders.ts';

/** The name of the copy that a VM is created with. */
export const INSTALLER = 'installer.iso';
/** The name of a copy put in later. A name never changes its bytes: saved memory may know it (L4). */
export const installerName = (uuid: string): string => `installer-${uuid}.iso`;
/** Is this the name of a copy of ours, whole or not? */
export const isInstaller = (name: string): boolean => /^installer(-[0-9a-f-]{36})?\.iso(\.new)?$/.test(name);

export const bootOf = (isoName: string, { name }: Pick<ChosenFile, 'name'>): VmSpec['boot'] => ({
  kind: 'iso',
  isoName,
  label: name.replace(/\p{C}/gu, ' ').slice(0, 255),
});

/** The copy in the drive, as the spec says; null: none. */
export const isoNameOf = ({ boot }: Pick<VmSpec, 'boot'>): string | null =>
  boot.kind === 'iso' ? boot.isoName : null;

/** Copies the ISO to where this spec will look for it; does nothing where the spec has none. */
export async function copyInstaller(
  folders: Pick<MachineFolders, 'copyIn'>,
  from: string,
  spec: Pick<VmSpec, 'id' | 'boot'>,
  { step, gate }: TaskRun,
): Promise<void> {
  const isoName = isoNameOf(spec);
  if (isoName === null) return;
  await gate.pausable(() =>
    folders.copyIn(from, spec.id, isoName, async (done, total) => {
      await gate.passed();
      step('copying the installer', { done, total });
    }),
  );
}

const UNCHANGED = 'What is in the CD drive stays in it.';

export const noDrive = (name: string): Fault =>
  new Fault({
    code: 'vm.bad-spec',
    what: `"${name}" is the sample guest, which starts a kernel of its own: it has no CD drive.`,
    safe: 'Nothing was changed.',
    todo: 'Create a VM from an ISO or an existing disk.',
  });

export const driveChanged = (name: string): Fault =>
  new Fault({
    code: 'vm.wrong-state',
    what: `What is in the CD drive of "${name}" was changed while the VM was cloned.`,
    safe: 'Nothing was created; the VM it would be made from is as it was.',
    todo: 'Clone it again.',
  });

/** `needs` null: the disk was full in the middle of the copy. */
export const insertFull = (label: string, needs: number | null, free: number): Fault =>
  new Fault({
    code: 'disk.full',
    what:
      needs === null
        ? `The disk is full: ${label} could not be copied.`
        : `Copying ${label} needs ${bytesText(needs)}; ${bytesText(free)} are free.`,
    safe: UNCHANGED,
    todo: 'Free some space, then try again.',
    data: needs === null ? { free } : { needs, free },
  });
