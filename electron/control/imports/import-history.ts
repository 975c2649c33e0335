// Imports somebody else's chain of VHDs with its history: one point per image, oldest first, each with the
// content that the image has over its parents. Only what an image holds itself is written onto the point
// before it, so nothing is copied twice. Settling then reverses the edges, until Now is one VHD. The
// originals are only read.
import { dirname } from 'node:path';
import type { DiskId, VmId } from '../../../shared/ids.ts';
import type { StorageClient } from '../../storage/client.ts';
import type { ChosenFile } from '../files.ts';
import type { TaskRun } from '../tasks/tasks.ts';
import { checkUnchanged, type ImportSource } from './import-disk.ts';
import { type ImportPorts, refused } from './import-ports.ts';
import { lookAtVhd, pushVhd } from './vhd-reader.ts';

const NAME_MAX = 200;

export interface HistoryTarget {
  readonly storage: StorageClient;
  readonly vmId: VmId;
  readonly diskId: DiskId;
  /** Private and short. */
  readonly socketPath: string;
}

/** Room for every image of the chain, not for the newest content alone (T14). */
export async function examineHistory(source: ImportSource, ports: ImportPorts): Promise<ImportSource> {
  if (source.format !== 'vhd')
    throw refused(
      'import.bad-format',
      source.file,
      `is said to be ${source.format}, expected vhd: only chains of VHDs bring a history.`,
      'Import it without its history.',
    );
  const { chain } = await lookAtVhd(source.file, ports);
  return { ...source, dataBytes: chain.reduce((sum, { givenBytes }) => sum + givenBytes, 0) };
}

/** Faults: those of reading the chain, disk.full, import.changed; the caller then removes what was made. */
export async function importHistory(
  source: ImportSource,
  { storage, vmId, diskId, socketPath }: HistoryTarget,
  ports: ImportPorts,
  run: TaskRun,
): Promise<void> {
  const { file } = source;
  const { chain } = await lookAtVhd(file, ports);
  const files = chain.map(({ name }) => chosenBeside(file, name, ports));
  for (let image = chain.length - 1; image >= 0; image--) {
    const { name, uuid } = chain[image] ?? { name: '', uuid: '' };
    const doing = `copying image ${chain.length - image} of ${chain.length}`;
    await pushVhd(file, { image }, { socketPath, exportName: diskId }, ports, doing, run);
    await storage.call('moment.take', {
      vmId,
      name: name.replace(/\.a?vhd$/i, '').slice(0, NAME_MAX),
      note: `From ${name}`,
      kind: 'imported',
      origins: [{ diskId, uuid }],
    });
  }
  for (const one of files) checkUnchanged(one, ports);
}

function chosenBeside(file: ChosenFile, name: string, ports: ImportPorts): ChosenFile {
  const found = name === file.name ? file : ports.look(`${dirname(file.path)}/${name}`);
  if (found === null)
    throw refused('import.changed', file, `lost its parent ${name}.`, 'Put it back, then try again.');
  return found;
}
