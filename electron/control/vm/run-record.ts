// What is noted of a running QEMU, so that another control can adopt it (M9) and saved memory can be resumed with the
// very same machine (L4).
import * as z from 'zod';
import { kibSchema, timeMsSchema } from '../../../shared/units.ts';
import { escaped } from './escape.ts';
import type { VmSockets } from './spec-to-argv.ts';

export const runRecordSchema = z.object({
  bootKib: kibSchema,
  accelerator: z.enum(['kvm', 'tcg']),
  argv: z.array(z.string()),
  hasBalloon: z.boolean(),
  hasTpm: z.boolean().default(false),
  /** Where the arguments' sockets and files were; a VM folder may be moved before it is resumed. */
  folders: z.object({ home: z.string().min(1), run: z.string().min(1) }),
  /** QEMU's process; absent in a record that was written before QEMU was spawned. */
  process: z.object({ pid: z.int().positive(), started: z.string().min(1) }).optional(),
  /** How a saved state's memory lies in its file. Older saved states do not say so: they are plain. */
  packing: z.enum(['plain', 'zstd']).default('plain'),
  /** When QEMU was started; absent in a record that was not run yet. */
  since: timeMsSchema.optional(),
});
export type RunRecord = z.infer<typeof runRecordSchema>;

/** The same machine (L4) with its sockets and files where they are now. */
export function relocated(record: RunRecord, folders: RunRecord['folders']): RunRecord {
  const moves = (['run', 'home'] as const).flatMap(name => [
    { from: `${record.folders[name]}/`, to: `${folders[name]}/` },
    { from: `${escaped(record.folders[name])}/`, to: `${escaped(folders[name])}/` },
  ]);
  const argv = record.argv.map(word => {
    // At most one move a word: the new place of one folder must not be taken for the other's old one.
    const move = moves.find(({ from }) => word.includes(from));
    return move === undefined ? word : word.replaceAll(move.from, move.to);
  });
  return { ...record, argv, folders };
}

export const socketsIn = (folder: string): VmSockets => ({
  qmp: `${folder}/qmp`,
  vnc: `${folder}/vnc`,
  agent: `${folder}/agent`,
  qga: `${folder}/qga`,
  serial: `${folder}/serial`,
  tpm: `${folder}/tpm`,
  pidFile: `${folder}/pid`,
  disk: index => `${folder}/disk${index}`,
});

/** A screen dump, there only while it is looked at. */
export const firstScreenPath = (folder: string): string => `${folder}/first-screen.ppm`;

/** Files that an ended QEMU leaves behind. */
export function socketFiles(folder: string): string[] {
  const { qmp, vnc, agent, qga, serial, pidFile } = socketsIn(folder);
  return [qmp, vnc, agent, qga, serial, pidFile];
}
