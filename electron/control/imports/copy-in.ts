// Copies the image that a VM is made from into its first disk: its newest content, or a point for each image
// of its chain.
import type { VmSpec } from '../../../shared/vm.ts';
import type { MachinesPorts } from '../machines/machines.ts';
import { nbdUri } from '../nbd-uri.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { convertInto, type ImportSource } from './import-disk.ts';
import { importHistory } from './import-history.ts';

export async function copyIn(
  {
    storage,
    folders,
    supervisor,
    imports,
  }: Pick<MachinesPorts, 'storage' | 'folders' | 'supervisor' | 'imports'>,
  spec: VmSpec,
  { image, history }: { readonly image: ImportSource; readonly history: boolean },
  run: TaskRun,
): Promise<void> {
  const disk = spec.disks[0];
  if (disk === undefined) return;
  const folder = folders.run(spec.id);
  supervisor.makePrivateFolder(folder);
  const socket = `${folder}/import`;
  await storage.openExport(spec.id, disk.id, socket);
  try {
    const target = { storage, vmId: spec.id, diskId: disk.id, socketPath: socket };
    if (history) return await importHistory(image, target, imports, run);
    await convertInto(image, nbdUri(disk.id, socket), folder, imports, run);
  } finally {
    await storage.closeExport(spec.id, disk.id);
  }
  run.step('taking the first point');
  await storage.call('moment.take', {
    vmId: spec.id,
    name: 'Imported',
    note: `From ${image.file.name}`,
    kind: 'imported',
    origins: image.uuid === undefined ? [] : [{ diskId: disk.id, uuid: image.uuid }],
  });
}
