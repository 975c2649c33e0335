// Opens a session with the agent inside a guest, where one listens.
import * as z from 'zod';
import type { ByteStream } from '../../platform/byte-stream.ts';
import type { Clock } from '../../platform/ports.ts';
import type { QmpSession } from '../qmp/session.ts';
import { GuestAgent } from './session.ts';

const chardevs = z.array(z.object({ label: z.string(), 'frontend-open': z.boolean() }));

export interface OpenAgentInput {
  readonly qmp: Pick<QmpSession, 'execute'>;
  readonly connect: (path: string) => Promise<ByteStream>;
  /** The channel behind the agent's port: QEMU's name of it, and its socket. */
  readonly chardev: string;
  readonly path: string;
  readonly clock: Clock;
}

/** Null: nobody in the guest has the port open. QEMU is asked: a question to the guest would lie there. */
export async function openAgent({
  qmp,
  connect,
  chardev,
  path,
  clock,
}: OpenAgentInput): Promise<GuestAgent | null> {
  const found = chardevs.parse(await qmp.execute('query-chardev'));
  const isThere = found.some(row => row.label === chardev && row['frontend-open']);
  return isThere ? new GuestAgent(await connect(path), clock) : null;
}
