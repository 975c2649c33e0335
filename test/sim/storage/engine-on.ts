// An engine on a simulated machine.
import { VmEngine } from '../../../electron/storage/disk/engine.ts';
import type { EngineOptions } from '../../../electron/storage/disk/engine-types.ts';
import type { VmId } from '../../../shared/ids.ts';
import type { SimWorld } from './device.ts';

export const engineOn = (world: SimWorld, vmId: VmId, options: EngineOptions): Promise<VmEngine> =>
  VmEngine.open(
    vmId,
    {
      diskFolder: diskId => world.folder(diskId),
      store: world.store,
      clock: world.clock(),
      random: world.randomPort(),
      bootId: world.bootId,
      turn: () => world.later('turn', () => undefined),
    },
    { roomyBytes: Number.POSITIVE_INFINITY, ...options },
  );
