// What is noted of a running QEMU, so that another control can adopt it (M9) and saved memory can be resumed with the
// very same machine (L4).
import * as z from 'zod';
import { kibSchema } from '../../../shared/units.ts';
import type { VmSockets } from './spec-to-argv.ts';

export const runRecordSchema = z.object({
  bootKib: kibSchema,
  accelerator: z.enum(['kvm', 'tcg']),
  argv: z.array(z.string()),
  hasBalloon: z.boolean(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

export const socketsIn = (folder: string): VmSockets => ({
  qmp: `${folder}/qmp`,
  vnc: `${folder}/vnc`,
  agent: `${folder}/agent`,
  serial: `${folder}/serial`,
  pidFile: `${folder}/pid`,
  disk: index => `${folder}/disk${index}`,
});
