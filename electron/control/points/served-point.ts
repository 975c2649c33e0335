// Lets storage serve a point read-only by NBD to other programs, for as long as some work needs it.
import type { PointId, VmId } from '../../../shared/ids.ts';
import type { StorageClient } from '../../storage/client.ts';
import { nbdUri } from '../nbd-uri.ts';

export interface ServedPoint {
  /** `nbd+unix:///…`. */
  readonly uri: string;
  readonly virtualBytes: number;
}

/** `socketPath`: private, short, and this reader's alone. */
export async function whilePointServed<T>(
  storage: StorageClient,
  {
    vmId,
    pointId,
    socketPath,
  }: { readonly vmId: VmId; readonly pointId: PointId; readonly socketPath: string },
  use: (point: ServedPoint) => Promise<T>,
): Promise<T> {
  const { virtualBytes } = await storage.call('point.open', { vmId, pointId, socketPath });
  try {
    return await use({ uri: nbdUri(pointId, socketPath), virtualBytes });
  } finally {
    await storage.call('point.close', { vmId, socketPath });
  }
}
