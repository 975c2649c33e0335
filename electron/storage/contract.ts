// What control may ask of storage (DESIGN §1: only through its client, never its files). The same form of
// table and the same rpc code as the public contract. Spoken over a unix socket; the storage main process
// passes calls on to the VM's worker over a MessagePort.
import * as z from 'zod';
import { diskIdSchema, momentIdSchema, pointIdSchema, vmIdSchema } from '../../shared/ids.ts';
import { CLOSING, OPENING, WRITING } from '../../shared/rpc/error-groups.ts';
import { defineContract } from '../../shared/rpc/table.ts';
import {
  compactOrderSchema,
  momentCostSchema,
  momentKindSchema,
  momentSchema,
  pointDifferenceSchema,
  rescuedSchema,
  settleOrderSchema,
  timelineSchema,
} from '../../shared/timeline.ts';
import { bytesSchema, timeMsSchema } from '../../shared/units.ts';
import { verifiedSchema, verifyCursorSchema } from '../../shared/verify.ts';

const byVm = z.strictObject({ vmId: vmIdSchema });
const byMoment = z.strictObject({ vmId: vmIdSchema, momentId: momentIdSchema });
const done = z.object({});
/** The VM's worker may rest, or have died: the call starts another, which opens the VM first. */
const OF_VM = ['vm.not-found', ...OPENING] as const;
const OF_POINT = [...OF_VM, 'moment.not-found'] as const;
const deltaCursorSchema = z.strictObject({ block: z.int().min(0), writtenBytes: bytesSchema });

export const storageContract = defineContract({
  methods: {
    'storage.info': {
      kind: 'query',
      params: z.strictObject({}),
      result: z.object({ pid: z.int(), version: z.string(), openVms: z.array(vmIdSchema) }),
      errors: [],
      doc: 'Who is serving.',
    },
    'storage.quit': {
      kind: 'command',
      params: z.strictObject({}),
      result: done,
      errors: [],
      doc: 'Closes every VM cleanly and exits.',
    },
    'vm.open': {
      kind: 'command',
      /** `folder` is absolute; it has `disks/<diskId>/` for the disks, and the database `timeline.db`. */
      params: z.strictObject({ vmId: vmIdSchema, folder: z.string().max(4096) }),
      result: timelineSchema,
      errors: OF_VM,
      doc: 'Opens a VM folder (idempotent): locks it, recovers what a crash left, starts settling.',
    },
    'vm.rescue': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, folder: z.string().max(4096), replace: z.boolean() }),
      result: rescuedSchema,
      errors: [
        'vm.wrong-state',
        'disk.owned-elsewhere',
        'disk.in-use',
        'vhd.corrupt',
        ...WRITING,
        'disk.poisoned',
      ],
      doc: 'T5: makes the timeline database of a VM that is not open anew from the headers of its images; those are not changed.',
    },
    'vm.close': {
      kind: 'command',
      params: byVm,
      result: done,
      errors: CLOSING,
      doc: 'Flushes, writes end footers, unlocks.',
    },
    'vm.rest': {
      kind: 'command',
      params: byVm,
      result: z.object({ isAtRest: z.boolean() }),
      errors: ['vm.not-found', ...CLOSING],
      doc: 'The VM stays open; what nobody uses and nothing is to be done for is closed until the next call about it.',
    },
    'disk.create': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, diskId: diskIdSchema, virtualBytes: bytesSchema }),
      result: z.object({ virtualBytes: bytesSchema }),
      errors: [...OF_VM, 'disk.in-use', 'disk.too-large'],
      doc: 'A new empty disk: one dynamic VHD that is its leaf; no point yet. The size is rounded up to a CHS-exact one (T12).',
    },
    'point.share': {
      kind: 'command',
      /** `folder`: the absolute path of a disk's folder of another VM. */
      params: z.strictObject({ vmId: vmIdSchema, pointId: pointIdSchema, folder: z.string().max(4096) }),
      result: z.object({ images: z.array(pointIdSchema) }),
      errors: [...OF_POINT, 'host.unsupported'],
      doc: 'Copies by reflink of the images a point reads through, with new UUIDs, newest first: instant, and independent from then on.',
    },
    'disk.adopt': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        diskId: diskIdSchema,
        images: z.array(pointIdSchema).min(1),
      }),
      result: z.object({ virtualBytes: bytesSchema }),
      errors: [...OF_VM, 'disk.in-use'],
      doc: 'What point.share left in the disk’s folder becomes a disk; Now is what its newest image holds, no point yet.',
    },
    'disk.grow': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, diskId: diskIdSchema, virtualBytes: bytesSchema }),
      result: z.object({ virtualBytes: bytesSchema }),
      errors: [...OF_VM, 'disk.not-found', 'disk.too-large', 'disk.would-shrink'],
      doc: 'Makes Now of a disk larger; its points keep size and content (T4). Rounded up to a CHS-exact size. Clients of its export are hung up on: NBD tells a size once.',
    },
    'export.open': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        diskId: diskIdSchema,
        socketPath: z.string().max(100),
        /** True: a guest that used it before lives on. After a failed sync it is not served (T14). */
        isReopened: z.boolean().default(false),
      }),
      result: z.object({ exportName: z.string(), virtualBytes: bytesSchema }),
      errors: [...OF_VM, 'disk.not-found', 'disk.in-use'],
      doc: 'Serves Now of a disk by NBD on a unix socket (idempotent for the same path). Export name: the disk id.',
    },
    'export.close': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, diskId: diskIdSchema }),
      result: done,
      errors: [...OF_VM, 'disk.not-found'],
      doc: 'Stops serving; flushed and quiesced.',
    },
    'point.open': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        pointId: pointIdSchema,
        socketPath: z.string().max(100),
        /** True: the point is not purged before it is closed, whether a client reads it or not. */
        isHeld: z.boolean().default(false),
      }),
      result: z.object({ exportName: z.string(), virtualBytes: bytesSchema }),
      errors: [...OF_POINT, 'disk.in-use'],
      doc: 'Serves a point read-only by NBD on a unix socket of its own; not purged while a client reads. Export name: the point id.',
    },
    'point.close': {
      kind: 'command',
      /** Null: all of them, when no reader is left. */
      params: z.strictObject({ vmId: vmIdSchema, socketPath: z.string().max(100).nullable() }),
      result: done,
      errors: OF_VM,
      doc: 'Stops serving points there.',
    },
    'point.find': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema, uuid: z.string().max(64) }),
      result: z.object({ points: z.array(pointIdSchema) }),
      errors: OF_VM,
      doc: 'The points that a differencing image with this parent UUID fits: of that id, or whose content came from it (T1).',
    },
    'graft.open': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, pointId: pointIdSchema, socketPath: z.string().max(100) }),
      result: z.object({ graftId: pointIdSchema, exportName: z.string(), virtualBytes: bytesSchema }),
      errors: [...OF_POINT, 'disk.in-use'],
      doc: 'A new image on a point, served writable by NBD to be filled; nobody knows of it until it is committed.',
    },
    'graft.commit': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        graftId: pointIdSchema,
        name: z.string().max(200),
        note: z.string().max(4000),
        origin: z.string().max(64),
      }),
      result: z.object({ momentId: momentIdSchema }),
      errors: OF_POINT,
      doc: 'Stops serving; whole and durable, then in one transaction a point: a child of the one it grew on.',
    },
    'graft.discard': {
      kind: 'command',
      /** Null: all of them, when nobody is left to fill them. */
      params: z.strictObject({ vmId: vmIdSchema, graftId: pointIdSchema.nullable() }),
      result: done,
      errors: OF_VM,
      doc: 'Nothing is left of it.',
    },
    'delta.some': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        fromId: pointIdSchema,
        toId: pointIdSchema,
        /** Absolute. The first call, which has no cursor, makes the file. */
        path: z.string().max(4096),
        cursor: deltaCursorSchema.nullable(),
        budgetBytes: bytesSchema,
      }),
      result: z.object({
        cursor: deltaCursorSchema.nullable(),
        writtenBytes: bytesSchema,
        doneBytes: bytesSchema,
        totalBytes: bytesSchema,
      }),
      errors: OF_POINT,
      doc: 'Writes on at a differencing VHD of what one point has otherwise than another; whole and durable when no cursor comes back.',
    },
    'timeline.get': {
      kind: 'query',
      params: byVm,
      result: timelineSchema,
      errors: OF_VM,
      doc: "The VM's timeline.",
    },
    'moment.take': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        name: z.string(),
        note: z.string(),
        kind: momentKindSchema,
        /** For each disk whose content came, whole, from another image: the UUID of that image. */
        origins: z.array(z.strictObject({ diskId: diskIdSchema, uuid: z.string().max(64) })).default([]),
      }),
      result: momentSchema,
      errors: OF_VM,
      doc: 'T6: drain, flush, seal every leaf, new leaves, one transaction.',
    },
    'moment.update': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        momentId: momentIdSchema,
        name: z.string().optional(),
        note: z.string().optional(),
        pinned: z.boolean().optional(),
      }),
      result: momentSchema,
      errors: OF_POINT,
      doc: 'Name, note, pin.',
    },
    'moment.go-back': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        momentId: momentIdSchema,
        keepName: z.string(),
        /** The kept branch's id. Ordered again under this id while Now is still there, nothing is done. */
        orderId: momentIdSchema.optional(),
      }),
      result: timelineSchema,
      errors: [...OF_POINT, 'disk.in-use'],
      doc: 'T7: seals what changed since the last moment as a kept branch, new leaf on the chosen one. Refused while exported.',
    },
    'moment.delete': {
      kind: 'command',
      params: byMoment,
      result: done,
      errors: [...OF_POINT, 'moment.pinned'],
      doc: 'T8: puts a moment into the trash; nothing is freed yet.',
    },
    'moment.restore': {
      kind: 'command',
      params: byMoment,
      result: momentSchema,
      errors: OF_POINT,
      doc: 'Takes a moment out of the trash.',
    },
    'trash.purge': {
      kind: 'command',
      params: z.strictObject({
        vmId: vmIdSchema,
        trashedBefore: timeMsSchema,
        momentId: momentIdSchema.optional(),
      }),
      result: z.object({ freedBytes: bytesSchema }),
      errors: [...OF_VM, 'disk.in-use'],
      doc: 'T8: deletes for good: one moment of the trash, or all; what others hang off is merged away in the background.',
    },
    'moment.cost': {
      kind: 'query',
      params: byMoment,
      result: momentCostSchema,
      errors: OF_POINT,
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
      errors: OF_POINT,
      doc: 'Where the disks may differ between two moments; null is Now.',
    },
    'verify.some': {
      kind: 'query',
      params: z.strictObject({
        vmId: vmIdSchema,
        cursor: verifyCursorSchema.nullable(),
        budgetBytes: bytesSchema,
      }),
      result: verifiedSchema,
      errors: OF_VM,
      doc: 'Reads about so many bytes of frozen images, from the cursor on, and compares them with their checksums.',
    },
    'settle.set': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, to: settleOrderSchema }),
      result: done,
      errors: OF_VM,
      doc: 'Lets the background reversal run, pauses it, or (T7) takes the edge being turned back to where it was and pauses.',
    },
    'settle.hold': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, isHeld: z.boolean() }),
      result: done,
      errors: OF_VM,
      doc: 'Settling waits as if it were paused, until told otherwise or the VM is closed; of a VM that is not, nothing settles.',
    },
    'settle.compact': {
      kind: 'command',
      params: z.strictObject({ vmId: vmIdSchema, to: compactOrderSchema }),
      result: done,
      errors: OF_VM,
      doc: 'Once all else is at rest, frozen images give back what they hold for nothing; or no more of that.',
    },
    'point.hash': {
      kind: 'query',
      params: z.strictObject({ vmId: vmIdSchema, pointId: pointIdSchema }),
      result: z.object({ sha256: z.string() }),
      errors: OF_POINT,
      doc: 'SHA-256 of the whole content of a point, read through its chain.',
    },
  },
  topics: {
    timeline: {
      kind: 'state',
      keyed: true,
      payload: timelineSchema,
      doc: 'Timeline of one VM, with reversal progress at most 10 times a second.',
    },
  },
});
export type StorageContract = typeof storageContract;
