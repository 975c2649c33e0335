// A small file inside a guest, through its agent's file commands.
import * as z from 'zod';
import type { GuestAgent } from './session.ts';

const BYTES_MAX = 8 * 1024;

const handleSchema = z.int();
const readSchema = z.object({
  count: z.int().min(0).max(BYTES_MAX),
  'buf-b64': z.base64().max(Math.ceil(BYTES_MAX / 3) * 4),
});

/** The beginning of a file. Faults as the agent does; a ZodError where the agent answers something else. */
export async function readGuestFile(agent: GuestAgent, path: string): Promise<string> {
  const handle = handleSchema.parse(await agent.ask('guest-file-open', { path, mode: 'r' }));
  try {
    const read = readSchema.parse(await agent.ask('guest-file-read', { handle, count: BYTES_MAX }));
    return Buffer.from(read['buf-b64'], 'base64').subarray(0, read.count).toString('latin1');
  } finally {
    // Handles are few inside the guest.
    await agent.ask('guest-file-close', { handle }).catch(() => undefined);
  }
}
