// The methods of the table that speak of history: timeline, moments, trash and settling.
import * as z from 'zod';
import { diskIdSchema, momentIdSchema, taskIdSchema, vmIdSchema } from '../ids.ts';
import {
  exportFormatSchema,
  momentCostSchema,
  momentSchema,
  pointDifferenceSchema,
  settleOrderSchema,
  timelineSchema,
} from '../timeline.ts';
import { bytesSchema } from '../units.ts';
import { defineMethods } from './table.ts';

const byVm = z.strictObject({ vmId: vmIdSchema });
const byMoment = z.strictObject({ vmId: vmIdSchema, momentId: momentIdSchema });
const started = z.object({ taskId: taskIdSchema });
const done = z.object({});

export const timelineMethods = defineMethods({
  'timeline.get': {
    kind: 'query',
    params: byVm,
    result: timelineSchema,
    errors: ['vm.not-found', 'storage.unavailable'],
    doc: 'Moments, Now, and what is settling.',
  },
  'moment.take': {
    kind: 'command',
    params: z.strictObject({
      vmId: vmIdSchema,
      name: z.string().trim().max(200),
      note: z.string().max(4000),
    }),
    result: momentSchema,
    errors: ['vm.not-found', 'disk.full', 'disk.io', 'storage.unavailable'],
    doc: 'Takes a moment of all disks; O(1), while running or not.',
  },
  'moment.update': {
    kind: 'command',
    params: z.strictObject({
      vmId: vmIdSchema,
      momentId: momentIdSchema,
      name: z.string().trim().max(200).optional(),
      note: z.string().max(4000).optional(),
      pinned: z.boolean().optional(),
    }),
    result: momentSchema,
    errors: ['vm.not-found', 'moment.not-found'],
    doc: 'Renames, annotates or pins a moment.',
  },
  'moment.go-back': {
    kind: 'task',
    params: z.strictObject({
      vmId: vmIdSchema,
      momentId: momentIdSchema,
      /** A VM that was running is started again afterwards. */
      ifRunning: z.enum(['refuse', 'shutdown', 'force']).default('refuse'),
    }),
    result: started,
    errors: ['vm.not-found', 'vm.wrong-state', 'moment.not-found', 'disk.full', 'storage.unavailable'],
    doc: 'Goes back to a moment; the present is kept as a branch.',
  },
  'moment.delete': {
    kind: 'command',
    params: byMoment,
    result: done,
    errors: ['vm.not-found', 'moment.not-found', 'moment.pinned', 'storage.unavailable'],
    doc: 'T8: puts a moment into the trash; nothing is freed yet.',
  },
  'moment.restore': {
    kind: 'command',
    params: byMoment,
    result: momentSchema,
    errors: ['vm.not-found', 'moment.not-found', 'storage.unavailable'],
    doc: 'Takes a moment out of the trash.',
  },
  'trash.purge': {
    kind: 'command',
    params: z.strictObject({ vmId: vmIdSchema, momentId: momentIdSchema.optional() }),
    result: z.object({ freedBytes: bytesSchema }),
    errors: ['vm.not-found', 'storage.unavailable'],
    doc: 'T8: deletes for good: one moment of the trash, or all; what others hang off is merged away in the background.',
  },
  'moment.cost': {
    kind: 'query',
    params: byMoment,
    result: momentCostSchema,
    errors: ['vm.not-found', 'moment.not-found', 'storage.unavailable'],
    doc: 'What a moment takes, and what deleting it gives back.',
  },
  'moment.compare': {
    kind: 'query',
    params: z.strictObject({
      vmId: vmIdSchema,
      fromId: momentIdSchema.nullable(),
      toId: momentIdSchema.nullable(),
    }),
    result: z.object({
      disks: z.array(z.object({ diskId: diskIdSchema, difference: pointDifferenceSchema })),
    }),
    errors: ['vm.not-found', 'moment.not-found', 'storage.unavailable'],
    doc: 'Where the disks may differ between two moments; null is Now.',
  },
  'moment.export': {
    kind: 'task',
    params: z.strictObject({
      vmId: vmIdSchema,
      momentId: momentIdSchema,
      /** Null: its first disk. */
      diskId: diskIdSchema.nullable().default(null),
      format: exportFormatSchema,
      /** A new file, absolute; null: in the exports folder of Ebb's data. A browser may not name one. */
      path: z.string().max(4096).nullable().default(null),
    }),
    result: z.object({ taskId: taskIdSchema, path: z.string() }),
    errors: [
      'vm.not-found',
      'moment.not-found',
      'disk.not-found',
      'disk.full',
      'file.unreadable',
      'qemu.missing',
      'rpc.denied',
      'storage.unavailable',
    ],
    doc: 'Writes a disk as it was at a moment into a new image of another format.',
  },
  'settle.set': {
    kind: 'command',
    params: z.strictObject({ vmId: vmIdSchema, to: settleOrderSchema }),
    result: done,
    errors: ['vm.not-found', 'storage.unavailable', 'disk.full'],
    doc: 'Lets the background reversal run, pauses it, or (T7) takes the edge being turned back to where it was and pauses.',
  },
});
