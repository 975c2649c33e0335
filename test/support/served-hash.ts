// A point's content as Ebb itself serves it, whatever is being turned or merged meanwhile (T3: reads are right at every
// instant).
import { connectUnix } from '../../electron/transport/unix-socket.ts';
import type { MomentId, VmId } from '../../shared/ids.ts';
import { connectClient } from '../../shared/rpc/client.ts';
import { contract } from '../../shared/rpc/contract.ts';
import type { Ebb } from './ebb.ts';
import { NbdClient } from './nbd-client.ts';
import { UnitsHash } from './units-hash.ts';

const PIECE_BYTES = 2 ** 20;
const READ = 0;

/** Of the first `bytes`. It is served as long as the connection that asked lives: one of its own. */
export async function hashServed(ebb: Ebb, vmId: VmId, momentId: MomentId, bytes: number): Promise<string> {
  const client = connectClient(contract, await connectUnix(ebb.paths.controlSocket));
  try {
    await client.ready;
    const { socketPath, exportName } = await client.call('moment.serve', { vmId, momentId });
    const nbd = await NbdClient.open(socketPath, exportName);
    const hash = new UnitsHash();
    for (let offset = 0; offset < bytes; offset += PIECE_BYTES) {
      const { data, error } = await nbd.call({ command: READ, offset, length: PIECE_BYTES });
      if (error !== 0) throw new Error(`reading ${offset} of a point: NBD error ${error}`);
      hash.update(data);
    }
    nbd.close();
    return hash.digest();
  } finally {
    client.close();
  }
}
