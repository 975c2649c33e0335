// A point as other programs read it while something is done with it: by NBD, from storage, read-only.
import type { PointId, VmId } from '../../shared/ids.ts';
import type { StorageClient } from '../storage/client.ts';

export interface ServedPoint {
  /** `nbd+unix:///…`. */
  readonly uri: string;
  readonly virtualBytes: number;
}

/** `folder` is private and short: a socket goes there. */
export async function whilePointServed<T>(
  storage: StorageClient,
  { vmId, pointId, folder }: { readonly vmId: VmId; readonly pointId: PointId; readonly folder: string },
  use: (point: ServedPoint) => Promise<T>,
): Promise<T> {
  const socketPath = `${folder}/p-${pointId.slice(0, 8)}`;
  const { virtualBytes } = await storage.call('point.open', { vmId, pointId, socketPath });
  try {
    return await use({ uri: `nbd+unix:///${pointId}?socket=${socketPath}`, virtualBytes });
  } finally {
    await storage.call('point.close', { vmId, pointId });
  }
}
